import { expect, test } from 'vitest';
import { rotateRows } from '../../../engine/formats/hadamard.ts';
import { transposed } from '../../../engine/formats/transposed.ts';
import { gradients } from '../../../engine/graph/autodiff.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import type { Value } from '../../../engine/graph/value.ts';
import { Random } from '../../../engine/random.ts';
import { int8Products } from '../../../engine/weights/int8-linear.ts';
import { int8Weight } from '../../../engine/weights/int8-weights.ts';
import type { WeightParameters } from '../../../engine/weights/weight-parameters.ts';
import { evaluateGraph } from '../graph/evaluate.ts';
import { exactProduct, recomputedGradients } from './product-cases.ts';

const [TOKENS, IN, OUT] = [16, 192, 48];

function normal(random: Random): number {
  const uniform = (): number => (random.uint32() + 1) / 2 ** 32;
  return Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Of a normal distribution; some columns are twenty times as large, as in language models. */
function withOutliers(rows: number, columns: number, seed: number): Float32Array {
  const random = new Random(seed, 0);
  return Float32Array.from(
    { length: rows * columns },
    (_, i) => normal(random) * ((i % columns) % 48 === 7 ? 20 : 1),
  );
}

function weights(seed: number): Float32Array {
  const random = new Random(seed, 0);
  return Float32Array.from({ length: OUT * IN }, () => normal(random) / 10);
}

/** The tensors of weights `[OUT, IN]` as constants of a graph. */
async function constants(
  builder: GraphBuilder,
  matrices: Readonly<Record<string, Float32Array>>,
): Promise<WeightParameters> {
  const values = new Map<string, Value>();
  for (const [name, data] of Object.entries(matrices)) {
    const weight = { name, dtype: 'F32', shape: [OUT, IN], data } as const;
    for (const tensor of int8Weight(weight)) {
      const made = await (typeof tensor.data === 'function' ? tensor.data() : tensor.data);
      const isFloat = made instanceof Float32Array;
      const numbers = isFloat ? made : new Int8Array(made.buffer, made.byteOffset, made.length);
      const dtype = isFloat ? 'float32' : 'int8';
      values.set(tensor.name, builder.constant([...numbers], [...tensor.shape], dtype));
    }
  }
  return {
    compute: 'int8',
    has: (name) => values.has(name),
    stored: (name) => values.get(name)!,
  };
}

/** `y = x Wᵀ`, and the gradient of `Σ y · target` for x. */
async function evaluate(x: Float32Array, w: Float32Array, target: Float32Array) {
  const builder = new GraphBuilder();
  const input = builder.input('x', 'float32', [TOKENS, IN]);
  const wanted = builder.input('target', 'float32', [TOKENS, OUT]);
  const y = int8Products(builder, await constants(builder, { w }))('w', input);
  const loss = builder.reduceSum(builder.mul(y, wanted), [0, 1]);
  const dx = gradients(builder, loss, [input]).get(input)!;
  const graph = removeDeadCode(builder.finish({ y, dx }));
  const results = await evaluateGraph(graph, { x, target });
  return { y: results['y']!, dx: results['dx']! };
}

const forward = (x: Float32Array, w: Float32Array) => exactProduct(x, w, [TOKENS, IN, OUT], true);
const backward = (dy: Float32Array, w: Float32Array) =>
  exactProduct(dy, w, [TOKENS, OUT, IN], false);

/** 2-norm of the difference over that of what is expected. */
function distance(actual: readonly number[], expected: readonly number[]): number {
  const norm = (numbers: readonly number[]) => Math.hypot(...numbers);
  return norm(actual.map((number, i) => number - expected[i]!)) / norm(expected);
}

test('products of activations with outliers are near those of float64, forward and backward', async () => {
  const x = withOutliers(TOKENS, IN, 1);
  const w = weights(2);
  const target = withOutliers(TOKENS, OUT, 3);
  const { y, dx } = await evaluate(x, w, target);
  // What was measured, and about a third more.
  expect(distance(y, forward(x, w))).toBeLessThan(1.2e-2);
  expect(distance(dx, backward(target, w))).toBeLessThan(1.2e-2);
});

/**
 * Rows that eight bits hold exactly when they are rotated: integers up to 127 times a power of two
 * for each row.
 */
function representable(rows: number, columns: number, seed: number): Float32Array {
  const random = new Random(seed, 0);
  const rotated = Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const code = column === 0 ? 127 : (random.uint32() % 255) - 127;
    return code * 2 ** ((row % 7) - 10);
  });
  rotateRows(rotated, columns);
  return rotated;
}

test('what eight bits hold is exact', async () => {
  const x = representable(TOKENS, IN, 1);
  const w = representable(OUT, IN, 2);
  const { y } = await evaluate(x, w, withOutliers(TOKENS, OUT, 3));
  expect(distance(y, forward(x, w))).toBeLessThan(1e-6);

  const target = representable(TOKENS, OUT, 3);
  const turned = transposed(representable(IN, OUT, 4), IN);
  const { dx } = await evaluate(x, turned, target);
  expect(distance(dx, backward(target, turned))).toBeLessThan(1e-6);
});

test('of rows, columns and gradients of zeros all is zero', async () => {
  const x = withOutliers(TOKENS, IN, 1).fill(0, 0, IN);
  const w = weights(2).fill(0, 0, IN);
  const target = withOutliers(TOKENS, OUT, 3).fill(0, 0, OUT);
  const { y, dx } = await evaluate(x, w, target);
  expect(y.slice(0, OUT).every((number) => number === 0)).toBe(true);
  expect(y.every((number, i) => i % OUT !== 0 || number === 0)).toBe(true);
  expect(dx.slice(0, IN).every((number) => number === 0)).toBe(true);
  expect(y.concat(dx).every(Number.isFinite)).toBe(true);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])(
  '%d in a row is not rounded away',
  async (bad) => {
    const x = withOutliers(TOKENS, IN, 1);
    x[IN + 100] = bad;
    const { y } = await evaluate(x, weights(2), withOutliers(TOKENS, OUT, 3));
    expect(y.slice(OUT, 2 * OUT).some(Number.isFinite)).toBe(false);
    expect(y.slice(2 * OUT).every(Number.isFinite)).toBe(true);
  },
);

test('what several weights are multiplied with is quantized once', async () => {
  const builder = new GraphBuilder();
  const matrices = { q: weights(1), k: weights(2), v: weights(3) };
  const multiply = int8Products(builder, await constants(builder, matrices));
  const x = builder.input('x', 'float32', [TOKENS, IN]);
  for (const name of Object.keys(matrices)) multiply(name, x);
  expect(builder.values.filter(({ op }) => op === 'quantizeRows')).toHaveLength(1);
});

test('what is computed again for the backward pass is quantized again as well', async () => {
  const builder = new GraphBuilder();
  const multiply = int8Products(builder, await constants(builder, { w: weights(1) }));
  const x = builder.input('x', 'float32', [TOKENS, IN]);
  const target = builder.input('target', 'float32', [TOKENS, OUT]);
  const { kept, recomputed, made } = recomputedGradients(
    builder,
    (input) => multiply('w', input),
    x,
    target,
  );
  expect(made.filter((op) => op === 'quantizeRows')).toHaveLength(2);
  const feeds = { x: withOutliers(TOKENS, IN, 1), target: withOutliers(TOKENS, OUT, 2) };
  const results = await evaluateGraph(removeDeadCode(builder.finish({ kept, recomputed })), feeds);
  expect(results['recomputed']).toEqual(results['kept']);
});
