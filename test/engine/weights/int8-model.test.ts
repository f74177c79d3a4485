import { describe, expect, test } from 'vitest';
import { linearModules } from '../../../engine/architectures/linear-modules.ts';
import { COMPUTE_MODES, type Int8Mode, isInt8Mode } from '../../../engine/weights/compute-mode.ts';
import { describeQuantized } from '../../../engine/weights/quantization.ts';
import { goldenCase, goldenModel } from '../train/golden-case.ts';
import { brokenModel, firstStep, quantized, tensorSizes } from './quantized-model.ts';

const MODES = COMPUTE_MODES.filter(isInt8Mode);

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

describe.each(['lorafa-all-linear', 'lora-linear', 'family-gpt2'])(
  'the gradients of %s',
  (name) => {
    test('come closer to those of float32 with each product', async () => {
      const { model } = await goldenCase(name);
      const expected = await firstStep(name, model);
      const errors: number[] = [];
      for (const mode of MODES) {
        const actual = await firstStep(name, await quantized(model, { kind: 'int8', mode }));
        const error = worstError(actual.gradients, expected.gradients);
        expect(error, mode).toBeLessThan(BOUNDS[mode]);
        errors.push(error);
      }
      expect(errors).toEqual(errors.toSorted((a, b) => b - a));
    });
  },
);

test('experts stay in float32', async () => {
  const name = 'family-mixtral';
  const { model } = await goldenCase(name);
  const expected = await firstStep(name, model);
  const inInt8 = await quantized(model, { kind: 'int8', mode: 'int8x3' });
  const experts = linearModules(model.config).filter(({ inExpert }) => inExpert);
  for (const expert of experts) {
    expect(inInt8.weights.get(`${expert.name}.weight`).dtype).toBe('F32');
  }
  const actual = await firstStep(name, inInt8);
  expect(worstError(actual.gradients, expected.gradients)).toBeLessThan(BOUNDS.int8x3);
});

test.each(MODES)('a model for %s is described as it is made', async (mode) => {
  const model = await goldenModel('qwen3');
  const described = describeQuantized(model, { kind: 'int8', mode });
  const made = await quantized(model, { kind: 'int8', mode });
  expect(tensorSizes(described)).toEqual(tensorSizes(made));
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
  const { model, weight } = await brokenModel();
  await expect(quantized(model, { kind: 'int8', mode: 'int8' })).rejects.toMatchObject({
    code: 'model.not_finite',
    message: expect.stringContaining(`"${weight}"`),
  });
});
