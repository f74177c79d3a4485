import { describe, expect, test } from 'vitest';
import { bfloat16ToFloat32, float32ToBfloat16 } from '../../../engine/formats/float16.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import type { DType } from '../../../engine/graph/dtype.ts';
import type { OpName } from '../../../engine/graph/op.ts';
import { Random } from '../../../engine/random.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { exactProduct } from '../weights/product-cases.ts';
import { evaluateGraph } from './evaluate.ts';

/** Applies an op to inputs of these types. */
function applied(op: OpName, ...types: readonly (readonly [DType, readonly number[]])[]) {
  const builder = new GraphBuilder();
  const inputs = types.map(([dtype, shape], i) => builder.input(`x${i}`, dtype, shape));
  return () => builder.apply(op, inputs, { transA: false, transB: true } as never).shape;
}

test('shapes and types have to fit', () => {
  expect(applied('toBfloat16', ['float32', [3, 4]])()).toEqual([3, 4]);
  expect(applied('toBfloat16', ['float32', [3]])).toThrow('needs a matrix of float32');
  expect(applied('bfloat16Rest', ['float32', [3, 4]], ['bfloat16', [4, 3]])).toThrow(
    'the shapes [3, 4] and [4, 3] differ',
  );
  const factors = [
    ['bfloat16', [2, 4]],
    ['bfloat16', [3, 4]],
  ] as const;
  expect(applied('matmulBfloat16', ...factors)()).toEqual([3, 2]);
  expect(applied('matmulBfloat16', ...factors, ['bfloat16', [5, 4]])).toThrow(
    '[3, 4] and [5, 4] and [2, 4] do not multiply',
  );
  expect(applied('matmulBfloat16', ['bfloat16', [2, 4]], ['bfloat16', [4]])).toThrow(
    'needs a matrix of bfloat16, got bfloat16 [4]',
  );
  expect(applied('matmulBfloat16', ['float32', [2, 4]], ['bfloat16', [3, 4]])).toThrow(
    'needs a matrix of bfloat16, got float32 [2, 4]',
  );
  expect(applied('matvecBfloat16', ['float32', [1, 4]], ['bfloat16', [3, 4]])()).toEqual([1, 3]);
  expect(applied('matvecBfloat16', ['float32', [2, 4]], ['bfloat16', [3, 4]])).toThrow(
    '[2, 4] and [3, 4] do not multiply',
  );
  expect(applied('matvecBfloat16', ['float32', [1, 3]], ['bfloat16', [3, 4]])).toThrow(
    '[1, 3] and [3, 4] do not multiply',
  );
  const blocks = [
    ['uint8', [6, 2, 16]],
    ['float32', [6, 2]],
  ] as const;
  expect(applied('matmulBlocks', ['bfloat16', [3, 32]], ...blocks)()).toEqual([3, 6]);
  expect(applied('matmulBlocks', ['bfloat16', [3, 33]], ...blocks)).toThrow(
    '[3, 33] and [6, 2, 16] do not multiply',
  );
  expect(applied('matmulBlocks', ['float32', [3, 32]], ...blocks)).toThrow(
    'needs a matrix of bfloat16, got float32 [3, 32]',
  );
});

const numbers = (count: number, seed: number): Float32Array => {
  const random = new Random(seed, 0);
  return Float32Array.from({ length: count }, () => (random.uint32() / 2 ** 31 - 1) * 3);
};

const rounded = (x: Float32Array): Float32Array => bfloat16ToFloat32(float32ToBfloat16(x));

function furthest(actual: readonly number[], expected: readonly number[]): number {
  return Math.max(...actual.map((number, i) => Math.abs(number - expected[i]!)));
}

describe.runIf(hasBfloat16)('computed', () => {
  test('rounds to nearest, ties to even, and says what that took', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [3, 4]);
    const high = builder.apply('toBfloat16', [x], {});
    const rest = builder.apply('bfloat16Rest', [x, high], {});
    const graph = builder.finish({ high: builder.cast(high, 'float32'), rest });
    const given = Float32Array.of(
      ...[1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20],
      ...[-Math.PI, 1e30, -1e-30, 0],
      ...[Number.POSITIVE_INFINITY, Number.NaN, 65_504, 1 / 3],
    );
    const results = await evaluateGraph(graph, { x: given });
    expect(results['high']).toEqual([...rounded(given)]);
    const left = [...given].map((number, i) => Math.fround(number - rounded(given)[i]!));
    expect(results['rest']).toEqual(left);
  });

  test.each([
    [5, 48, 12],
    [3, 33, 7],
    [1, 1, 1],
    [130, 200, 65],
  ] as const)('%d × %d × %d is the product of what was rounded', async (rows, inner, columns) => {
    for (const transB of [false, true]) {
      const builder = new GraphBuilder();
      const x = builder.input('x', 'float32', [rows, inner]);
      const w = builder.input('w', 'float32', transB ? [columns, inner] : [inner, columns]);
      const weight = builder.apply('toBfloat16', [w], {});
      const high = builder.apply('toBfloat16', [x], {});
      const low = builder.apply('toBfloat16', [builder.apply('bfloat16Rest', [x, high], {})], {});
      const once = builder.apply('matmulBfloat16', [weight, high], { transA: false, transB });
      const twice = builder.apply('matmulBfloat16', [weight, high, low], { transA: false, transB });
      const turned = builder.apply('toBfloat16', [builder.transpose(x, [1, 0])], {});
      const back = builder.apply('matmulBfloat16', [weight, turned], { transA: true, transB });
      const feeds = { x: numbers(rows * inner, 1), w: numbers(inner * columns, 2) };
      const results = await evaluateGraph(builder.finish({ once, twice, back }), feeds);
      const sizes = [rows, inner, columns] as const;
      const exact = (left: Float32Array) => exactProduct(left, rounded(feeds.w), sizes, transB);
      // Sums of up to 200 products of at most 9 in float32.
      expect(furthest(results['once']!, exact(rounded(feeds.x)))).toBeLessThan(2e-4);
      expect(furthest(results['back']!, exact(rounded(feeds.x)))).toBeLessThan(2e-4);
      expect(furthest(results['twice']!, exact(feeds.x))).toBeLessThan(6e-4);
      if (inner > 1) {
        expect(furthest(results['once']!, exact(feeds.x))).toBeGreaterThan(5e-3);
      }
    }
  });

  test.each([
    [48, 12],
    [576, 1536],
    [33, 7],
    [1, 1],
  ] as const)('a row of %d and %d columns are the product of x itself', async (inner, columns) => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [1, inner]);
    const w = builder.input('w', 'float32', [columns, inner]);
    const weight = builder.apply('toBfloat16', [w], {});
    const product = builder.apply('matvecBfloat16', [x, weight], {});
    const feeds = { x: numbers(inner, 1), w: numbers(inner * columns, 2) };
    const results = await evaluateGraph(builder.finish({ product }), feeds);
    const exact = exactProduct(feeds.x, rounded(feeds.w), [1, inner, columns], true);
    // What is lost of x is 2⁻¹⁷ of each of the factors, of 3 at most.
    expect(furthest(results['product']!, exact)).toBeLessThan(1e-4 + 2 ** -17 * 9 * inner ** 0.5);
  });

  test.each([
    [3, 6, 2, 16],
    [32, 7, 3, 32],
    // More than is unpacked at once.
    [5, 1200, 32, 32],
  ] as const)(
    '%d rows and %d columns of %d blocks of %d codes',
    async (rows, columns, blocks, size) => {
      const inner = blocks * size;
      const codes = Array.from({ length: columns * inner }, (_, i) => (i * 101 + (i >> 4)) % 256);
      const scales = numbers(columns * blocks, 3).map((scale) => scale / 128);
      const builder = new GraphBuilder();
      const x = builder.input('x', 'float32', [rows, inner]);
      const product = builder.apply(
        'matmulBlocks',
        [
          builder.apply('toBfloat16', [x], {}),
          builder.constant(codes, [columns, blocks, size], 'uint8'),
          builder.constant([...scales], [columns, blocks]),
        ],
        {},
      );
      const feeds = { x: numbers(rows * inner, 1) };
      const results = await evaluateGraph(builder.finish({ product }), feeds);
      const weights = rounded(
        Float32Array.from(codes, (code, i) => scales[Math.floor(i / size)]! * (code - 128)),
      );
      const exact = exactProduct(rounded(feeds.x), weights, [rows, inner, columns], true);
      expect(furthest(results['product']!, exact)).toBeLessThan(1e-6 * 9 * inner);
    },
  );
});
