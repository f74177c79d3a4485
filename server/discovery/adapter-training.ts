import path from 'node:path';
import { readExamples } from '../../engine/train/run-examples.ts';
import { readRunRecord } from '../../engine/train/run-record.ts';
import type { AdapterTraining } from '../protocol/models.ts';

/**
 * What the run of an adapter tells of what it was trained on.
 *
 * @param folder that of a run's adapter or of a checkpoint; any other folder tells nothing
 */
export async function readTraining(folder: string): Promise<AdapterTraining | null> {
  for (const run of [folder, path.dirname(folder)]) {
    const kept = await readExamples(run);
    if (kept !== undefined) return kept;
    const record = await readRunRecord(run).catch(() => undefined);
    if (record === undefined) continue;
    const { data, training } = record.config;
    return {
      files: [data.dataset_name_or_path].flat(),
      shape: '',
      templates: null,
      rows: null,
      isChat: null,
      origin: 'sample-prompts',
      examples: (training.sample_prompts ?? []).map((turn) => ({
        prompt: { turn },
        expected: null,
      })),
    };
  }
  return null;
}
