import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { areBlockwiseProductsExact } from '../../../engine/runtime/blockwise-self-test.ts';
import { relativeError } from '../../support/golden.ts';
import { evaluateGraph } from './evaluate.ts';

const waves = (size: number, frequency: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(frequency * i + 1));

/** Bits of a code, codes of a block, rows of x, blocks of a row of the weight, its rows. */
const CASES = [
  [4, 32, 1, 3, 33],
  [4, 16, 5, 2, 8],
  [8, 32, 1, 1, 5],
  [8, 16, 7, 4, 20],
] as const;

describe.each(CASES)('a weight of %i bits in blocks of %i', (bits, size, tokens, count, rows) => {
  const width = count * size;
  const codes = Array.from({ length: rows * width }, (_, i) => (i * 7919 + (i >> 3)) % 2 ** bits);
  const scales = waves(rows * count, 0.9);
  const values = codes.map((code, i) => scales[Math.floor(i / size)]! * (code - 2 ** (bits - 1)));
  const bytes =
    bits === 8
      ? codes
      : Array.from(
          { length: codes.length / 2 },
          (_, i) => codes[2 * i]! | (codes[2 * i + 1]! << 4),
        );
  const stored = (builder: GraphBuilder) =>
    [
      builder.constant(bytes, [rows, count, (size * bits) / 8], 'uint8'),
      builder.constant([...scales], [rows, count]),
    ] as const;
  const x = waves(tokens * width, 0.7);

  async function products(accuracy: 'float32' | 'int8') {
    const builder = new GraphBuilder();
    const input = builder.input('x', 'float32', [tokens, width]);
    const w = builder.constant(values, [rows, width]);
    const { y, expected } = await evaluateGraph(
      builder.finish({
        y: builder.matmulNBits(input, ...stored(builder), accuracy),
        expected: builder.gemm(input, w, { transB: true }),
      }),
      { x },
    );
    return relativeError(y!, expected!);
  }

  test('is multiplied as its values are', async () => {
    expect(await products('float32')).toBeLessThan(1e-6);
  });

  test('or with rows that were rounded to eight bits', async () => {
    expect(await products('int8')).toBeLessThan(1e-2);
  });

  test('and its rows can be had by number', async () => {
    const builder = new GraphBuilder();
    const indices = builder.constant([rows - 1, 0, 3], [3], 'int64');
    const graph = builder.finish({ w: builder.gatherBlocks(...stored(builder), indices, width) });
    const expected = [rows - 1, 0, 3].flatMap((row) =>
      values.slice(row * width, (row + 1) * width),
    );
    expect((await evaluateGraph(graph))['w']).toEqual(expected.map(Math.fround));
  });
});

test('this processor adds up products in eight bits exactly', async () => {
  expect(await areBlockwiseProductsExact()).toBe(true);
});

test('what does not fit is named', () => {
  const builder = new GraphBuilder();
  const product = (width: number, blocks: number) => () =>
    builder.matmulNBits(
      builder.constant(Array(width).fill(0), [1, width]),
      builder.constant(Array(2 * 3 * 16).fill(0), [2, 3, 16], 'uint8'),
      builder.constant(Array(2 * blocks).fill(0), [2, blocks]),
      'float32',
    );
  expect(product(96, 3)().shape).toEqual([1, 2]);
  expect(product(95, 3)).toThrow('float32 [1, 95] is not made of float32 rows of 48');
  expect(product(96, 2)).toThrow('[2, 2] is no scale of each block of [2, 3, 16]');
});
