import { describe, expect, test } from 'vitest';
import type { Recompute } from '../../../engine/architectures/decoder-graph.ts';
import { bfloat16ToFloat32, float32ToBfloat16 } from '../../../engine/formats/float16.ts';
import { gradients } from '../../../engine/graph/autodiff.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import type { Value } from '../../../engine/graph/value.ts';
import type { BaseModel } from '../../../engine/models/base-model.ts';
import { Random } from '../../../engine/random.ts';
import type { Device } from '../../../engine/runtime/device.ts';
import { OWN_OPS } from '../../../engine/runtime/own-ops.ts';
import { type TrainingGraphOptions, trainingGraph } from '../../../engine/step/training-graph.ts';
import { createTrainee } from '../../../engine/train/trainee.ts';
import { bfloat16Products, ONNX_ARITHMETIC } from '../../../engine/weights/bfloat16-linear.ts';
import type { Quantization } from '../../../engine/weights/quantization.ts';
import { WeightStore } from '../../../engine/weights/weight-store.ts';
import { roundingSpelledOut } from '../../support/rounding-spelled-out.ts';
import { spelledOutStep } from '../../support/spelled-out-step.ts';
import { evaluateGraph } from '../graph/evaluate.ts';
import { goldenCase } from '../train/golden-case.ts';
import { exactProduct } from './product-cases.ts';
import { firstStep, quantized } from './quantized-model.ts';

/*
 * Products as CUDA's tensor cores make them, computed on the CPU by what cuBLAS promises: the same graph with
 * its rounding spelled out.
 */

const CUDA: Device = { kind: 'cuda', index: 0 };
const [TOKENS, IN, OUT] = [16, 96, 40];

/** Half of the last bit of a number in bfloat16, relative to it. */
const HALF_A_BIT = 2 ** -8;

function numbers(count: number, seed: number): Float32Array {
  const random = new Random(seed, 0);
  return Float32Array.from({ length: count }, () => random.uint32() / 2 ** 31 - 1);
}

const rounded = (x: Float32Array): Float32Array => bfloat16ToFloat32(float32ToBfloat16(x));

test('a product is that of rounded factors, rounded once more, forward and backward', async () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [TOKENS, IN]);
  const target = builder.input('target', 'float32', [TOKENS, OUT]);
  const weight = builder.cast(builder.input('w', 'float32', [OUT, IN]), 'bfloat16');
  const parameters = { compute: 'bfloat16', has: () => false, stored: () => weight } as const;
  const y = bfloat16Products(builder, parameters, ONNX_ARITHMETIC)('w', x);
  const loss = builder.reduceSum(builder.mul(y, target), [0, 1]);
  const dx = gradients(builder, loss, [x]).get(x)!;
  const graph = roundingSpelledOut(removeDeadCode(builder.finish({ y, dx })));
  const [given, w, wanted] = [
    numbers(TOKENS * IN, 1),
    numbers(OUT * IN, 2),
    numbers(TOKENS * OUT, 3),
  ];
  const results = await evaluateGraph(graph, { x: given, w, target: wanted });
  const expected = {
    y: exactProduct(rounded(given), rounded(w), [TOKENS, IN, OUT], true),
    dx: exactProduct(rounded(wanted), rounded(w), [TOKENS, OUT, IN], false),
  };
  for (const result of ['y', 'dx'] as const) {
    const off = results[result]!.map((number, i) => {
      const exact = expected[result][i]!;
      return Math.abs(number - exact) / (HALF_A_BIT * Math.abs(exact) + 1e-5);
    });
    expect(Math.max(...off)).toBeLessThan(1.001);
    expect(Math.max(...off)).toBeGreaterThan(0.9);
  }
});

const CASE = 'lorafa-qv-bf16';

/** Weights as they are stored, and in NF4. */
const WEIGHTS = {
  bfloat16: undefined,
  NF4: { kind: 'nf4', doubleQuant: false },
  'NF4 with double quantization': { kind: 'nf4', doubleQuant: true },
} as const satisfies Record<string, Quantization | undefined>;

/**
 * What was measured of gradients, and about a third more. The kernel for NF4 rounds its values and magnitudes as
 * well (`MatMulBnb4`).
 */
const BOUNDS: { readonly [K in keyof typeof WEIGHTS]: number } = {
  bfloat16: 0.02,
  NF4: 0.033,
  'NF4 with double quantization': 0.038,
};

async function modelWith(weights: keyof typeof WEIGHTS): Promise<BaseModel> {
  const { model } = await goldenCase(CASE);
  const quantization = WEIGHTS[weights];
  return quantization === undefined ? model : quantized(model, quantization);
}

/** A reference run's first batch for CUDA, in bfloat16. */
async function cudaStep(stored: BaseModel, recompute: Recompute) {
  const reference = await goldenCase(CASE);
  const model = { ...stored, weights: new WeightStore(stored.weights.tensors, 'bfloat16') };
  const trainee = await createTrainee(reference.config, model);
  const batch = reference.steps[0]![0]!;
  const { batchSize: rows, sequenceLength: length } = batch;
  const options: TrainingGraphOptions = {
    ...{ model, recompute, device: CUDA, dropout: 0 },
    modules: trainee.modules,
    trainable: trainee.trainable.map(({ name }) => name),
    trainBase: trainee.trainBase,
    shape: { rows, length, lossTokens: rows * length },
  };
  return { options, tensors: trainee.tensors, batch };
}

describe('a step in bfloat16 for CUDA', () => {
  test.each([
    ['bfloat16', ['gather bfloat16', 'gemm bfloat16']],
    ['NF4', ['gather bfloat16', 'gemm bfloat16', 'matmulBnb4 bfloat16']],
  ] as const)(
    'multiplies with weights in %s as they are stored, by no op of our own',
    async (weights, expected) => {
      const stored = await modelWith(weights);
      const { options } = await cudaStep(stored, 'layer');
      const graph = trainingGraph(options);
      expect(graph.values.filter(({ op }) => OWN_OPS.has(op))).toEqual([]);
      const isMatrix = ({ op, dtype, shape }: Value): boolean =>
        op === 'weight' && (dtype === 'uint8' || shape.length === 2);
      const readers = graph.values.flatMap(({ op, dtype, inputs }) =>
        inputs.filter(isMatrix).map(() => `${op} ${dtype}`),
      );
      // Tokens are looked up, and so are targets.
      expect([...new Set(readers)].toSorted()).toEqual(expected);
    },
  );

  test.each([
    ['bfloat16', 'none'],
    ['bfloat16', 'layer'],
    ['NF4', 'layer'],
    ['NF4 with double quantization', 'none'],
  ] as const)(
    'with weights in %s and "%s" computed again has gradients within the bound of bfloat16',
    async (weights, recompute) => {
      const model = await modelWith(weights);
      const expected = await firstStep(CASE, model);
      const { options, tensors, batch } = await cudaStep(model, recompute);
      const found = await spelledOutStep(options, tensors, batch, 1);
      const norm = (numbers: Float32Array): number => Math.hypot(...numbers);
      const errors = [...expected.gradients].map(([tensor, gradient]) => {
        const off = gradient.map((number, i) => found.gradients.get(tensor)![i]! - number);
        return norm(off) / norm(gradient);
      });
      expect(Math.max(...errors)).toBeLessThan(BOUNDS[weights]);
      expect(Math.max(...errors)).toBeGreaterThan(2e-4);
      expect(Math.abs(found.loss / expected.loss - 1)).toBeLessThan(8e-4);
    },
  );
});
