import { dataSection } from '../../../engine/config/data-section.ts';
import type { DataOptions } from '../../../engine/data/options.ts';

/** The settings of a configuration that says nothing but `changes`. */
export function dataOptions(changes: Partial<DataOptions> = {}): DataOptions {
  return dataSection.parse({ dataset_name_or_path: 'rows.jsonl', ...changes });
}
