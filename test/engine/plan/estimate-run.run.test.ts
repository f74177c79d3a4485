import path from 'node:path';
import { expect, test } from 'vitest';
import { estimateRun } from '../../../engine/plan/estimate-run.ts';
import { train } from '../../../engine/train/train.ts';
import { type Sections, tinyConfig } from './tiny-config.ts';

test.each<[string, Sections]>([
  ['LoRA-FA with held-out rows', { data: { eval_split: 4 }, training: { num_train_epochs: 1 } }],
  [
    'LoRA on some layers',
    { training: { method: 'lora', max_steps: 2 }, lora: { target_modules: ['q_proj'] } },
  ],
  ['packed rows', { data: { eval_split: 4, packing: true, max_length: 300 } }],
  [
    'products in eight bits, with answers',
    {
      data: { eval_split: 4 },
      training: { max_steps: 1, sample_prompts: ['Why?'] },
      engine: { compute: 'int8' },
    },
  ],
])('%s: parameters, rows, tokens and steps are those of the run', async (_, sections) => {
  const { config } = await tinyConfig(sections);
  const estimate = await estimateRun(config);
  const started: unknown[] = [];
  await train(config, {
    onEvent: (event) => {
      if (event.type === 'started') started.push(event.run);
    },
  });
  expect(started).toEqual([
    expect.objectContaining({
      steps: estimate.steps,
      stepsPerEpoch: estimate.stepsPerEpoch,
      trainableParameters: estimate.parameters.trainable,
      totalParameters: estimate.parameters.total,
      gradientCheckpointing: estimate.gradientCheckpointing,
      padding: estimate.padding,
      dataset: {
        train: estimate.train,
        ...(estimate.evaluation && { eval: estimate.evaluation }),
      },
    }),
  ]);
});

test('an adapter to go on from brings its own layers and rank', async () => {
  const { folder, config } = await tinyConfig({
    training: { max_steps: 1 },
    lora: { r: 2, target_modules: ['v_proj'] },
  });
  await train(config, { onEvent: () => undefined });
  const again = {
    ...config,
    lora: { ...config.lora, r: 8, init_adapter: path.join(folder, 'out') },
  };
  const [first, second] = [await estimateRun(config), await estimateRun(again)];
  expect(second.parameters).toEqual(first.parameters);
});
