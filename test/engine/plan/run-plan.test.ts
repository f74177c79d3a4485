import { expect, test } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import { countStepsPerEpoch, planRun, runLength } from '../../../engine/plan/run-plan.ts';

test.each([
  [1, {}],
  [7, { per_device_train_batch_size: 2 }],
  [8, { per_device_train_batch_size: 2, gradient_accumulation_steps: 4 }],
  [9, { per_device_train_batch_size: 2, gradient_accumulation_steps: 4 }],
  [10, { per_device_train_batch_size: 3, num_train_epochs: 1.5 }],
  [5, { max_steps: 2 }],
])('%i rows with %j: the length of a run is known without its rows', (rows, training) => {
  const config = parseConfig(
    JSON.stringify({
      model: { base_model_name_or_path: 'model' },
      data: { dataset_name_or_path: 'rows.jsonl' },
      training: { output_dir: 'out', ...training },
    }),
    'run.lorafa.json',
  );
  const examples = Array.from({ length: rows }, (_, line) => ({
    inputIds: new Int32Array(3 + line),
    supervised: new Uint8Array(3 + line),
    truncated: false,
    file: 'rows.jsonl',
    line,
  }));
  const plan = planRun(config, { train: examples });
  const stepsPerEpoch = countStepsPerEpoch(rows, config.training);
  expect(stepsPerEpoch).toBe(plan.stepsPerEpoch);
  expect(runLength(config.training, stepsPerEpoch)).toBe(plan.maxSteps);
});
