import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { elementCount } from '../../../engine/formats/tensor-location.ts';
import type { BaseModel } from '../../../engine/models/base-model.ts';
import { COMPUTE_MODES, type Int8Mode } from '../../../engine/models/compute-mode.ts';
import { openWeights } from '../../../engine/models/hugging-face-folder.ts';
import { linearModules } from '../../../engine/models/linear-modules.ts';
import { quantizedWeights, storedSource } from '../../../engine/models/make-weights.ts';
import { describeQuantized } from '../../../engine/models/quantization.ts';
import { goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { goldenCase, goldenModel, goldenRunner } from '../train/golden-case.ts';

const MODES = COMPUTE_MODES.filter((mode) => mode !== 'float32');

async function quantized(model: BaseModel, mode: Int8Mode): Promise<BaseModel> {
  const cacheFolder = await tempFolder();
  const source = storedSource(model.name, model.weights);
  const quantization = { kind: 'int8', mode } as const;
  const weights = await quantizedWeights(model.config, source, quantization, { cacheFolder });
  return { ...model, weights };
}

/** Loss and gradients of a reference run's first batch. */
async function firstStep(name: string, model: BaseModel) {
  const reference = { ...(await goldenCase(name)), model };
  const { trainee, runner } = await goldenRunner(reference, { recompute: 'layer' });
  const gradients = new Map(
    trainee.trainable.map(({ name, shape }) => [name, new Float32Array(elementCount(shape))]),
  );
  const loss = await runner.run(reference.steps[0]![0]!, 1, 0, gradients);
  await runner.release();
  return { loss, gradients };
}

/** The largest distance of a gradient, by its norm, from the one that is expected. */
function worstError(
  actual: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
): number {
  const norm = (numbers: Float32Array): number => Math.hypot(...numbers);
  const errors = [...expected].map(
    ([name, gradient]) =>
      norm(gradient.map((number, i) => actual.get(name)![i]! - number)) / norm(gradient),
  );
  return Math.max(...errors);
}

/** What was measured of the gradients of two layers, and about a third more. */
const BOUNDS: { readonly [K in Int8Mode]: number } = { int8: 0.12, int8x2: 0.075, int8x3: 6e-4 };

describe.each(['lorafa-all-linear', 'lora-linear'])('the gradients of %s', (name) => {
  test('come closer to those of float32 with each product', async () => {
    const { model } = await goldenCase(name);
    const expected = await firstStep(name, model);
    const errors: number[] = [];
    for (const mode of MODES) {
      const actual = await firstStep(name, await quantized(model, mode));
      const error = worstError(actual.gradients, expected.gradients);
      expect(error, mode).toBeLessThan(BOUNDS[mode]);
      errors.push(error);
    }
    expect(errors).toEqual(errors.toSorted((a, b) => b - a));
  });
});

test.each(MODES)('a model for %s is described as it is made', async (mode) => {
  const model = await goldenModel('qwen3');
  const sizes = ({ weights }: BaseModel) =>
    [...weights.tensors.values()]
      .map(({ name, dtype, shape, length }) => [name, dtype, shape, length])
      .toSorted();
  const described = describeQuantized(model, { kind: 'int8', mode });
  const made = await quantized(model, mode);
  expect(sizes(described)).toEqual(sizes(made));
  expect([described.weights.compute, made.weights.compute]).toEqual([mode, mode]);
});

test.each([
  ['int8', 2],
  ['int8x2', 2],
  ['int8x3', 4],
] as const)('with %s a weight takes %d bytes', async (mode, bytes) => {
  const model = await goldenModel('smollm2-bf16');
  const linear = linearModules(model.config);
  const { weights } = describeQuantized(model, { kind: 'int8', mode });
  const taken = [...weights.tensors.values()]
    .filter(({ name, dtype }) => dtype === 'I8' && linear.some((each) => name.includes(each.name)))
    .reduce((sum, { length }) => sum + length, 0);
  const elements = linear.reduce((sum, each) => sum + each.inFeatures * each.outFeatures, 0);
  expect(taken).toBe(bytes * elements);
});

test('NaN is refused by the name of the tensor', async () => {
  const { config } = await goldenModel('llama2');
  const folder = path.join(await tempFolder(), 'model');
  await cp(goldenPath('models', 'llama2'), folder, { recursive: true });
  const { file, offset } = (await openWeights(folder, config)).get(
    'model.layers.1.mlp.down_proj.weight',
  );
  const bytes = await readFile(file);
  bytes.writeFloatLE(Number.NaN, offset + 400);
  await writeFile(file, bytes);
  const broken = { ...(await goldenModel('llama2')), weights: await openWeights(folder, config) };
  await expect(quantized(broken, 'int8')).rejects.toMatchObject({
    code: 'model.not_finite',
    message: expect.stringContaining('"model.layers.1.mlp.down_proj.weight"'),
  });
});
