import { expect, test } from 'vitest';
import { linearModules } from '../../../engine/architectures/linear-modules.ts';
import { describeQuantized } from '../../../engine/weights/quantization.ts';
import { goldenCase, goldenModel } from '../train/golden-case.ts';
import { brokenModel, firstStep, quantized, tensorSizes } from './quantized-model.ts';

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
const BOUND = 0.12;

test.each(['lorafa-all-linear', 'lora-linear', 'family-gpt2'])(
  'the gradients of %s are within their bound of those of float32',
  async (name) => {
    const { model } = await goldenCase(name);
    const expected = await firstStep(name, model);
    const actual = await firstStep(name, await quantized(model, { kind: 'int8' }));
    const error = worstError(actual.gradients, expected.gradients);
    expect(error).toBeLessThan(BOUND);
    expect(error).toBeGreaterThan(BOUND / 100);
  },
);

test('experts stay in float32', async () => {
  const name = 'family-mixtral';
  const { model } = await goldenCase(name);
  const expected = await firstStep(name, model);
  const inInt8 = await quantized(model, { kind: 'int8' });
  const experts = linearModules(model.config).filter(({ inExpert }) => inExpert);
  for (const expert of experts) {
    expect(inInt8.weights.get(`${expert.name}.weight`).dtype).toBe('F32');
  }
  // Eight bits send single tokens to other experts, so that no gradient of an expert is near.
  const { loss } = await firstStep(name, inInt8);
  expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(0.02);
});

test('a model for it is described as it is made', async () => {
  const model = await goldenModel('qwen3');
  const described = describeQuantized(model, { kind: 'int8' });
  const made = await quantized(model, { kind: 'int8' });
  expect(tensorSizes(described)).toEqual(tensorSizes(made));
  expect([described.weights.compute, made.weights.compute]).toEqual(['int8', 'int8']);
});

test('a weight takes two bytes, one for each direction', async () => {
  const model = await goldenModel('smollm2-bf16');
  const linear = linearModules(model.config);
  const { weights } = describeQuantized(model, { kind: 'int8' });
  const taken = [...weights.tensors.values()]
    .filter(({ name, dtype }) => dtype === 'I8' && linear.some((each) => name.includes(each.name)))
    .reduce((sum, { length }) => sum + length, 0);
  const elements = linear.reduce((sum, each) => sum + each.inFeatures * each.outFeatures, 0);
  expect(taken).toBe(2 * elements);
});

test('NaN is refused by the name of the tensor', async () => {
  const { model, weight } = await brokenModel();
  await expect(quantized(model, { kind: 'int8' })).rejects.toMatchObject({
    code: 'model.not_finite',
    message: expect.stringContaining(`"${weight}"`),
  });
});
