import type { ConfigChanges } from '../engine/train/tiny-run.ts';
import type { Scene } from './disturbed-runs.ts';
import { commandLine, trainer } from './run-programs.ts';

/**
 * Each step has a checkpoint, every other one an evaluation. There are few tensors, so that files
 * are soon written.
 *
 * @param limit how many checkpoints are kept
 */
export function savingConfig(
  limit: number,
  { steps = 3, model = {} }: { steps?: number; model?: ConfigChanges['model'] } = {},
): ConfigChanges {
  return {
    model,
    data: { eval_dataset_name_or_path: './rows.jsonl' },
    lora: { target_modules: ['q_proj'], layers_to_transform: [1] },
    training: { max_steps: steps, save_steps: 1, eval_steps: 2, save_total_limit: limit },
  };
}

const run = { program: commandLine, place: 'run', config: savingConfig(1) } as const;

/** Weights that are quantized into the cache folder, for a run that is short. */
export const CACHE_SCENE: Scene = {
  ...run,
  name: 'weights are made',
  place: 'cache',
  config: savingConfig(1, { steps: 1, model: { quantization: 'nf4' } }),
};

/** The runs whose every operation is disturbed. */
export const SCENES: readonly Scene[] = [
  { ...run, name: 'one checkpoint is kept' },
  { ...run, name: 'two checkpoints are kept', config: savingConfig(2) },
  {
    ...run,
    name: 'a killed run that goes on',
    // While the second checkpoint is written.
    before: { kind: 'kill', at: 70 },
  },
  CACHE_SCENE,
  { ...run, name: 'a trainer', program: trainer, process: '--stay' },
  { ...run, name: 'a computing process', program: trainer, process: 'trainer-compute.js' },
];
