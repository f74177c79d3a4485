import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { COMPUTE_MODES } from '../../../engine/models/compute-mode.ts';
import { estimateRun } from '../../../engine/plan/estimate-run.ts';
import { train } from '../../../engine/train/train.ts';
import { goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';

interface Sections {
  readonly training?: object;
  readonly lora?: object;
  readonly data?: object;
  readonly engine?: object;
}

/** The configuration of a run of the tiny model over 20 rows, in a folder of its own. */
async function tinyConfig({ training, lora, data, engine }: Sections = {}) {
  const folder = await tempFolder();
  await writeTinyModel(path.join(folder, 'model'));
  const rows = Array.from({ length: 20 }, (_, index) => ({
    prompt: `What is ${index}?`,
    completion: 'A number. '.repeat(1 + (index % 4)),
  }));
  await writeFile(
    path.join(folder, 'rows.jsonl'),
    rows.map((row) => JSON.stringify(row)).join('\n'),
  );
  const config = parseConfig(
    JSON.stringify({
      model: { base_model_name_or_path: 'model' },
      data: { dataset_name_or_path: 'rows.jsonl', pad_to_multiple_of: 16, ...data },
      lora: { r: 4, ...lora },
      training: { output_dir: 'out', per_device_train_batch_size: 3, ...training },
      engine: { device: 'cpu', ...engine },
    }),
    path.join(folder, 'run.lorafa.json'),
  );
  return { folder, config };
}

test.each<[string, Sections]>([
  ['LoRA-FA with held-out rows', { data: { eval_split: 4 }, training: { num_train_epochs: 1 } }],
  [
    'LoRA on some layers',
    { training: { method: 'lora', max_steps: 2 }, lora: { target_modules: ['q_proj'] } },
  ],
  ['packed rows', { data: { eval_split: 4, packing: true, max_length: 300 } }],
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

test('a full fine-tune trains every parameter', async () => {
  const { config } = await tinyConfig();
  const { parameters } = await estimateRun({
    ...config,
    training: { ...config.training, method: 'full' },
  });
  expect(parameters.trainable).toBe(parameters.total);
});

test('less memory means more is computed again, and nothing is written', async () => {
  const { folder, config } = await tinyConfig({ engine: { max_memory_gib: 0.001 } });
  const estimate = await estimateRun(config);
  expect(estimate.gradientCheckpointing).toBe('layer');
  expect(estimate.memory.total).toBeGreaterThan(estimate.memoryLimit);
  expect((await readdir(folder)).sort()).toEqual(['model', 'rows.jsonl']);
});

test('weights in eight bits are counted as they will be, without making them', async () => {
  const weights = async (compute: string) => {
    const { config } = await tinyConfig({ engine: { compute } });
    const { memory, compute: told } = await estimateRun(config);
    expect(told).toBe(compute);
    return memory.weights;
  };
  const [float32, int8, int8x2, int8x3, auto] = await Promise.all(
    [...COMPUTE_MODES, 'auto'].map(weights),
  );
  // Codes for forward and backward, once and twice, in place of four bytes each.
  expect(int8).toBeLessThan(float32!);
  expect(int8x2).toBe(int8);
  expect(int8x3).toBeGreaterThan(float32!);
  // A run tries all modes before it takes one.
  expect(auto).toBe(int8x3);
});

test('only the headers of a quantized GGUF file are read', async () => {
  const cacheFolder = await tempFolder();
  const file = goldenPath('gguf', 'qwen2-q8_0.gguf');
  const looked = await openBaseModel(file, { headersOnly: true, cacheFolder });
  expect(await readdir(cacheFolder)).toEqual([]);
  const opened = await openBaseModel(file, { cacheFolder });
  const sizes = ({ weights }: typeof opened) =>
    [...weights.tensors].map(([name, { dtype, shape, length }]) => [name, dtype, shape, length]);
  expect(sizes(looked)).toEqual(sizes(opened));
});
