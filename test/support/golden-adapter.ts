import { existsSync } from 'node:fs';
import { goldenPath } from './golden.ts';

/** The folder of the adapter that `make_export_golden.py` took for a case of `golden/training`. */
export function goldenAdapter(name: string): string {
  const own = goldenPath('export', 'adapters', name);
  return existsSync(own) ? own : goldenPath('training', name, 'adapter_init');
}
