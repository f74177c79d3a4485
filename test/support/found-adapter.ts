import path from 'node:path';
import type { UsableAdapter } from '../../extension/models/model-catalog.ts';

/** An adapter as the server would tell of it, whose base is not here. */
export function foundAdapter(folder: string, change: Partial<UsableAdapter> = {}): UsableAdapter {
  return {
    path: folder,
    name: path.basename(folder),
    baseModel: null,
    baseName: null,
    model: null,
    rank: 8,
    quantization: null,
    checkpointOf: null,
    isResult: false,
    bytes: 1024,
    problem: null,
    modified: '2026-01-01T00:00:00.000Z',
    ...change,
  };
}
