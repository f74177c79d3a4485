import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { outputEmbeddingName } from '../../../engine/architectures/decoder.ts';
import { linearModules } from '../../../engine/architectures/linear-modules.ts';
import { isTied } from '../../../engine/architectures/modules.ts';
import { float32ToBfloat16 } from '../../../engine/formats/float16.ts';
import { readTensorRaw } from '../../../engine/formats/tensor-data.ts';
import { answeringModel } from '../../../engine/plan/run-model.ts';
import { trainingGraph } from '../../../engine/step/training-graph.ts';
import {
  type Bfloat16Mode,
  COMPUTE_MODES,
  isBfloat16Mode,
} from '../../../engine/weights/compute-mode.ts';
import { describeQuantized } from '../../../engine/weights/quantization.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { goldenCase, goldenModel } from '../train/golden-case.ts';
import { firstStep, quantized, tensorSizes } from './quantized-model.ts';

const MODES = COMPUTE_MODES.filter(isBfloat16Mode);

describe('weights in bfloat16', () => {
  test('are multiplied with where they lie, and never upcast', async () => {
    const model = await goldenModel('smollm2-bf16');
    const cache = await tempFolder();
    const opened = await quantized(model, { kind: 'bfloat16', mode: 'bfloat16' }, cache);
    expect(opened.weights.tensors).toBe(model.weights.tensors);
    expect(opened.weights.compute).toBe('bfloat16');
    expect(await readdir(cache)).toEqual([]);
    const described = describeQuantized(model, { kind: 'bfloat16', mode: 'bfloat16' });
    expect(described.weights.tensors).toBe(model.weights.tensors);
    const graph = trainingGraph({
      model: opened,
      ...{ modules: [], trainable: [], trainBase: false, dropout: 0, recompute: 'none' },
      shape: { rows: 1, length: 16, lossTokens: 16 },
    });
    const upcast = graph.values.filter(
      ({ op, inputs }) => op === 'cast' && inputs[0]!.op === 'weight',
    );
    // Norms and their like.
    expect(upcast.every(({ shape }) => shape.length === 1)).toBe(true);
  });

  test('answer prompts of a run in float32 without a copy', async () => {
    const model = await goldenModel('smollm2-bf16');
    const opened = await quantized(model, { kind: 'bfloat16', mode: 'bfloat16x2' });
    const config = { training: { sample_prompts: ['Hi'] } } as never;
    const answering = answeringModel(config, opened)!;
    expect(answering.weights).toMatchObject({ compute: 'float32', tensors: model.weights.tensors });
  });
});

describe.each([
  ['llama-tied', true],
  ['llama2', false],
  ['gpt2', true],
] as const)('the weights of %s, which are others', (name, tied) => {
  test.each(MODES)('are rounded once for %s, as is said of them', async (mode: Bfloat16Mode) => {
    const model = await goldenModel(name);
    expect(isTied(model.config)).toBe(tied);
    const made = await quantized(model, { kind: 'bfloat16', mode });
    expect(tensorSizes(describeQuantized(model, { kind: 'bfloat16', mode }))).toEqual(
      tensorSizes(made),
    );
    const weight = outputEmbeddingName(model.config);
    // Where tokens are looked up in it as well, that goes on in what the model has.
    expect(made.weights.tensors.has(weight)).toBe(tied);
    const linear = linearModules(model.config);
    const reversed = new Set(
      linear.filter((each) => each.fanInFanOut).map((each) => `${each.name}.weight`),
    );
    const multiplied = [...linear.map((each) => `${each.name}.weight`), weight];
    for (const tensor of multiplied) {
      const { dtype, shape } = made.weights.get(`${tensor}.bfloat16`);
      const stored = model.weights.get(tensor).shape;
      expect([dtype, shape]).toEqual(['BF16', reversed.has(tensor) ? stored.toReversed() : stored]);
    }
    expect(answeringModel({ training: { sample_prompts: ['Hi'] } } as never, made)).toBeUndefined();
  });
});

test('what is rounded is rounded to nearest', async () => {
  const model = await goldenModel('llama2');
  const made = await quantized(model, { kind: 'bfloat16', mode: 'bfloat16' });
  const weight = 'model.layers.0.mlp.up_proj.weight';
  const stored = await readTensorRaw(model.weights.get(weight));
  const values = new Float32Array(stored.buffer, stored.byteOffset, stored.length / 4);
  const bits = await readTensorRaw(made.weights.get(`${weight}.bfloat16`));
  expect(new Uint16Array(bits.buffer, bits.byteOffset, bits.length / 2)).toEqual(
    float32ToBfloat16(values),
  );
});

/** What was measured of the gradients of two layers, and about a third more. */
const BOUNDS: { readonly [K in Bfloat16Mode]: number } = { bfloat16: 0.026, bfloat16x2: 1.8e-5 };

describe.runIf(hasBfloat16)('the gradients of a model in bfloat16', () => {
  test.each(MODES)('with %s are within their bound of those in float32', async (mode) => {
    // Weights that are in bfloat16 already: only activations are rounded.
    const name = 'lorafa-qv-bf16';
    const { model } = await goldenCase(name);
    const expected = await firstStep(name, model);
    const actual = await firstStep(name, await quantized(model, { kind: 'bfloat16', mode }));
    const norm = (numbers: Float32Array): number => Math.hypot(...numbers);
    const errors = [...expected.gradients].map(([tensor, gradient]) => {
      const off = gradient.map((number, i) => actual.gradients.get(tensor)![i]! - number);
      return norm(off) / norm(gradient);
    });
    expect(Math.max(...errors)).toBeLessThan(BOUNDS[mode]);
    expect(Math.max(...errors)).toBeGreaterThan(BOUNDS[mode] / 100);
    expect(Math.abs(actual.loss / expected.loss - 1)).toBeLessThan(BOUNDS[mode] / 10);
  });

  // Whose rows are as many as a batch sends to them.
  test.each(MODES)('with %s: experts compute in float32 beside it', async (mode) => {
    const name = 'lora-experts';
    const { model } = await goldenCase(name);
    const expected = await firstStep(name, model);
    const actual = await firstStep(name, await quantized(model, { kind: 'bfloat16', mode }));
    expect(Math.abs(actual.loss / expected.loss - 1)).toBeLessThan(BOUNDS.bfloat16 / 10);
  });
});
