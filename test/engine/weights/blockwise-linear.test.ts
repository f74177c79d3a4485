import { expect, test } from 'vitest';
import { BLOCKWISE_NAMES } from '../../../engine/formats/blockwise.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { blockwiseProducts, blockwiseRows } from '../../../engine/weights/blockwise-linear.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { relativeError } from '../../support/golden.ts';
import { evaluateGraph } from '../graph/evaluate.ts';

const SIZE = 16;
const [TOKENS, BLOCKS, OUT] = [3, 4, 6];
const WIDTH = BLOCKS * SIZE;

const waves = (size: number, frequency: number): number[] =>
  Array.from({ length: size }, (_, i) => Math.fround(Math.sin(frequency * i + 1)));

/** Rows that nothing rounds: integers whose largest magnitude in each block is that of eight bits. */
const x = Float32Array.from({ length: TOKENS * WIDTH }, (_, i) =>
  i % SIZE === 3 ? -127 : ((i * 37) % 255) - 127,
);

/** Products in bfloat16 round each weight by 2⁻⁹ of it at most, and sums are smaller than what is added. */
const modes = [
  ['float32', 1e-6],
  ...(hasBfloat16 ? [['bfloat16', 2 ** -7] as const] : []),
] as const;

test.each(modes.flatMap((mode) => [true, false].map((each) => [...mode, each] as const)))(
  'weights in blocks are their values: %s, within %f, with offsets: %s',
  async (compute, tolerance, hasOffsets) => {
    const codes = Array.from({ length: OUT * WIDTH }, (_, i) => (i * 101 + (i >> 4)) % 256);
    const scales = waves(OUT * BLOCKS, 0.9);
    const offsets = waves(OUT * BLOCKS, 0.4);
    const values = codes.map((code, i) => {
      const block = Math.floor(i / SIZE);
      return scales[block]! * (code - 128) + (hasOffsets ? 50 * offsets[block]! : 0);
    });
    const builder = new GraphBuilder();
    const tensors = new Map([
      ['w', builder.constant(codes, [OUT, BLOCKS, SIZE], 'uint8')],
      [BLOCKWISE_NAMES.scales('w'), builder.constant(scales, [OUT, BLOCKS])],
    ]);
    if (hasOffsets) {
      const scaled = offsets.map((offset) => 50 * offset);
      tensors.set(BLOCKWISE_NAMES.offsets('w'), builder.constant(scaled, [OUT, BLOCKS]));
    }
    const parameters = {
      stored: (name: string) => tensors.get(name)!,
      has: (name: string) => tensors.has(name),
      compute,
    };
    const input = builder.input('x', 'float32', [TOKENS, WIDTH]);
    const dense = builder.constant(values, [OUT, WIDTH]);
    const indices = builder.constant([5, 0], [2], 'int64');
    const results = await evaluateGraph(
      builder.finish({
        product: blockwiseProducts({ builder, parameters })('w', input),
        expectedProduct: builder.gemm(input, dense, { transB: true }),
        rows: blockwiseRows({ builder, parameters })('w', indices, WIDTH),
        expectedRows: builder.gather(dense, indices),
      }),
      { x },
    );
    expect(relativeError(results['product']!, results['expectedProduct']!)).toBeLessThan(tolerance);
    expect(relativeError(results['rows']!, results['expectedRows']!)).toBeLessThan(1e-6);
  },
);
