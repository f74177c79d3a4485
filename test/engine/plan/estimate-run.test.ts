import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { estimateRun } from '../../../engine/plan/estimate-run.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { type DeviceFacts, FACTS_OF_DRIVER } from '../../../engine/runtime/device-facts.ts';
import { COMPUTE_MODES } from '../../../engine/weights/compute-mode.ts';
import { goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { type Sections, tinyConfig } from './tiny-config.ts';

test('a full fine-tune trains every parameter', async () => {
  const { config } = await tinyConfig();
  const { parameters } = await estimateRun({
    ...config,
    training: { ...config.training, method: 'full' },
  });
  expect(parameters.trainable).toBe(parameters.total);
});

test('a run on Accelerate is estimated for each of its processes, which share the memory of a CPU', async () => {
  const facts: DeviceFacts = {
    auto: () => Promise.reject(new Error('It is PyTorch that takes a device.')),
    availableMemory: async () => 6e9,
    speed: () => undefined,
  };
  const { config } = await tinyConfig({ data: { eval_split: 4 } });
  const of = (accelerate: object, engine: object = {}) =>
    estimateRun(
      {
        ...config,
        training: { ...config.training, gradient_accumulation_steps: 2 },
        engine: { ...config.engine, backend: 'accelerate', ...engine },
        accelerate: { ...config.accelerate, ...accelerate },
      },
      undefined,
      facts,
    );
  const two = await of({ num_processes: 2, mixed_precision: 'bf16' });
  expect(two).toMatchObject({
    processes: 2,
    device: 'cpu',
    memoryLimit: 3e9,
    compute: 'bfloat16',
    gradientCheckpointing: 'none',
  });
  expect(two.memory.evaluation).toBeGreaterThan(0);
  // What PyTorch finds, and how much that has, is not known here.
  const found = await of({}, { device: 'auto' });
  expect(found).not.toHaveProperty('memoryLimit');
  expect(found).not.toHaveProperty('device');
  expect(await estimateRun(config, undefined, facts)).not.toHaveProperty('processes');
});

test('less memory means more is computed again, and nothing is written', async () => {
  const { folder, config } = await tinyConfig({ engine: { max_memory_gib: 0.001 } });
  const estimate = await estimateRun(config);
  expect(estimate.gradientCheckpointing).toBe('layer');
  expect(estimate.memory.total).toBeGreaterThan(estimate.memoryLimit!);
  expect((await readdir(folder)).sort()).toEqual(['model', 'rows.jsonl']);
});

describe('what a run computes between its steps', () => {
  const prompts = ['Why?', 'Because of it. '.repeat(40)];
  const memoryOf = async (sections: Sections) =>
    (await estimateRun((await tinyConfig(sections)).config)).memory;

  test('is counted where there is any, and the largest of all counts', async () => {
    const plain = await memoryOf({});
    expect(plain).toMatchObject({ evaluation: 0, answers: 0, answerWeights: 0 });
    const { total, activations, evaluation, answers, ...stays } = await memoryOf({
      data: { eval_split: 8 },
      training: {
        per_device_train_batch_size: 1,
        per_device_eval_batch_size: 8,
        sample_prompts: prompts,
      },
    });
    expect(evaluation).toBeGreaterThan(activations);
    expect(answers).toBeGreaterThan(0);
    const standing = Object.values(stays).reduce((sum, bytes) => sum + bytes, 0);
    expect(total).toBe(standing + Math.max(activations, evaluation, answers));
    // Its sessions stay as long as those of the steps.
    expect(stays.runtime).toBeGreaterThan(plain.runtime);
  });

  test('an evaluation takes its own batch size, and keeps nothing for gradients', async () => {
    const of = async (size: number) => {
      const { config } = await tinyConfig({
        data: { eval_split: 8 },
        training: { per_device_eval_batch_size: size, gradient_checkpointing: 'none' },
      });
      const { memory, largestBatch, largestEvaluationBatch } = await estimateRun(config);
      expect(largestBatch.rows).toBe(3);
      expect(largestEvaluationBatch?.rows).toBe(Math.min(size, 8));
      return memory;
    };
    const [one, three, eight, more] = await Promise.all([1, 3, 8, 20].map(of));
    expect(three!.evaluation).toBeLessThan(three!.activations);
    expect(one!.evaluation).toBeLessThan(three!.evaluation);
    expect(three!.evaluation).toBeLessThan(eight!.evaluation);
    expect(more).toEqual(eight);
    expect(new Set([one, three, eight].map((memory) => memory!.activations)).size).toBe(1);
  });

  test('an answer takes what its prompt does, and the keys and values of the whole text', async () => {
    const of = (sample_prompts: readonly string[]) => memoryOf({ training: { sample_prompts } });
    const [short, long, both] = await Promise.all([
      of([prompts[0]!]),
      of([prompts[1]!]),
      of(prompts),
    ]);
    expect(short!.answers).toBeGreaterThan(0);
    expect(long!.answers).toBeGreaterThan(short!.answers);
    expect(both).toEqual(long);
    expect(long!.activations).toBe(short!.activations);
  });

  test('answers of a base in eight bits are made with the weights that it was made of', async () => {
    const training = { sample_prompts: prompts };
    const [stored, int8, silent, auto] = await Promise.all([
      memoryOf({ training }),
      memoryOf({ training, engine: { compute: 'int8' } }),
      memoryOf({ engine: { compute: 'int8' } }),
      memoryOf({ training, engine: { compute: 'auto' } }),
    ]);
    expect(stored!.answerWeights).toBe(0);
    expect(int8!.answerWeights).toBe(stored!.weights);
    expect(silent!.answerWeights).toBe(0);
    expect(auto!.answerWeights).toBe(stored!.weights);
  });

  test('does not make the steps compute more again, where only it does not fit', async () => {
    const sections = {
      data: { eval_split: 8, max_length: 64 },
      training: { per_device_train_batch_size: 1, per_device_eval_batch_size: 8 },
    };
    const { activations, evaluation, total } = await memoryOf(sections);
    const limit = total - (evaluation - activations) / 2;
    const { config } = await tinyConfig({
      ...sections,
      engine: { max_memory_gib: limit / 2 ** 30 },
    });
    const estimate = await estimateRun(config);
    expect(estimate.memory.total).toBeGreaterThan(estimate.memoryLimit!);
    expect(estimate.gradientCheckpointing).toBe('none');
  });
});

test('every thread beside the main one is counted where attention is divided', async () => {
  const runtime = async (compute: string, threads: number) => {
    const { config } = await tinyConfig({ engine: { compute, intra_op_num_threads: threads } });
    return (await estimateRun(config)).memory.runtime;
  };
  const [one, two, three] = [
    await runtime('bfloat16', 1),
    await runtime('bfloat16', 2),
    await runtime('bfloat16', 3),
  ];
  expect(two).toBeGreaterThan(one);
  expect(three - two).toBe(two - one);
  expect(await runtime('float32', 3)).toBe(await runtime('float32', 1));
});

test('weights of the modes of products are counted as they will be, without making them', async () => {
  const memories = async (compute: string) => {
    const { config } = await tinyConfig({ engine: { compute } });
    const { memory, compute: told } = await estimateRun(config);
    expect(told).toBe(compute);
    return memory;
  };
  const all = await Promise.all([...COMPUTE_MODES, 'auto'].map(memories));
  const [float32, int8, bfloat16, bfloat16x2] = all.map(({ weights }) => weights);
  // Codes for forward and backward in place of four bytes each.
  expect(int8).toBeLessThan(float32!);
  // In place of four bytes two, for the linear layers and for the output embedding.
  expect(bfloat16).toBeGreaterThan(float32! / 2);
  expect(bfloat16).toBeLessThan(float32!);
  expect(bfloat16x2).toBe(bfloat16);
  // A run tries all modes before it takes one.
  const totals = all.map(({ total }) => total);
  const auto = totals.pop();
  expect(auto).toBe(Math.max(...totals));
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

test('weights that a run would unpack or quantize are told with the room for them', async () => {
  const { folder, config } = await tinyConfig({ engine: { compute: 'int8' } });
  vi.stubEnv('LORAFA_CACHE_DIR', path.join(folder, 'cache'));
  onTestFinished(() => void vi.unstubAllEnvs());
  const { disk } = await estimateRun(config);
  expect(disk).toMatchObject({ folder: path.join(folder, 'cache') });
  expect(disk!.room).toBeGreaterThan(disk!.needed);

  const { weights } = await openBaseModel(config.model.base_model_name_or_path, {
    quantization: { kind: 'int8' },
  });
  const made = [...weights.tensors.values()].reduce((sum, { length }) => sum + length, 0);
  expect(disk!.needed).toBe(made);
  expect((await estimateRun(config)).disk).toBeUndefined();
});

test('one file is told once, though both modes in bfloat16 have it', async () => {
  const { folder, config } = await tinyConfig();
  vi.stubEnv('LORAFA_CACHE_DIR', path.join(folder, 'cache'));
  onTestFinished(() => void vi.unstubAllEnvs());
  const neededFor = async (compute: (typeof config)['engine']['compute']) =>
    (await estimateRun({ ...config, engine: { ...config.engine, compute } })).disk!.needed;
  const [auto, int8, bfloat16] = [
    await neededFor('auto'),
    await neededFor('int8'),
    await neededFor('bfloat16'),
  ];
  expect(auto).toBe(int8 + bfloat16);
});

test('auto is the CPU in an estimate where WebGPU does not compute the model', async () => {
  const { config } = await tinyConfig({ engine: { device: 'auto' } });
  const deviceWith = async (largestBuffer: number) => {
    const auto = async () => ({ kind: 'webgpu', index: 0, largestBuffer }) as const;
    return (await estimateRun(config, undefined, { ...FACTS_OF_DRIVER, auto })).device;
  };
  expect(await deviceWith(2 ** 20)).toBe('webgpu');
  expect(await deviceWith(2 ** 10)).toBe('cpu');
});

test('what memory of a GPU nobody knows is no limit, and the run takes as little as it can', async () => {
  const { config } = await tinyConfig({ engine: { device: 'cuda:0' } });
  const facts: DeviceFacts = {
    ...FACTS_OF_DRIVER,
    auto: async () => CPU,
    availableMemory: async () => undefined,
  };
  const estimate = await estimateRun(config, undefined, facts);
  expect(estimate).not.toHaveProperty('memoryLimit');
  expect(estimate.gradientCheckpointing).toBe('layer');
});
