import { formatShape } from '../dim.ts';
import type { OpTable } from '../op.ts';
import type { Value, ValueType } from '../value.ts';

/** How exactly MatMulNBits multiplies, in its own numbers. */
const ACCURACY_LEVEL = { float32: 1, int8: 4 } as const;

/** The sizes of a matrix that is stored in blocks of codes. */
interface Blocks {
  readonly rows: number;
  /** Blocks of a row. */
  readonly count: number;
  /** Codes of a block. */
  readonly size: number;
}

function blocksOf(codes: ValueType, bits: number): Blocks {
  const [rows, count, bytes] = codes.shape.map(Number) as [number, number, number];
  return { rows, count, size: (8 * bytes) / bits };
}

/** Throws `TypeError` unless the two are codes and scales of the same blocks. */
export function requireBlocks(codes: ValueType, scales: ValueType, bits: number): Blocks {
  if (codes.dtype !== 'uint8' || codes.shape.length !== 3 || scales.dtype !== 'float32') {
    throw new TypeError(
      'needs uint8 codes [rows, blocks, bytes] and a float32 scale of each block',
    );
  }
  const blocks = blocksOf(codes, bits);
  const [rows, count] = scales.shape;
  if (scales.shape.length !== 2 || rows !== blocks.rows || count !== blocks.count) {
    throw new TypeError(
      `${formatShape(scales.shape)} is no scale of each block of ${formatShape(codes.shape)}`,
    );
  }
  return blocks;
}

/**
 * Matrices in blocks of codes of 4 bits (two in a byte, the first one low) or 8, each block with a scale:
 * `scale · (code - 2^(bits - 1))`.
 */
export const blockwiseOps: Pick<OpTable, 'matmulNBits' | 'gatherBlocks'> = {
  /**
   * `x · Wᵀ`, `[tokens, in] → [tokens, out]`, with W as codes `[out, blocks, bytes]` and scales `[out, blocks]`
   * (com.microsoft MatMulNBits). With the accuracy `int8` x is rounded to eight bits, with a scale for
   * each block.
   */
  matmulNBits: {
    infer: ([x, codes, scales], { bits }) => {
      const { rows, count, size } = requireBlocks(codes!, scales!, bits);
      if (x!.dtype !== 'float32' || x!.shape.length !== 2 || x!.shape[1] !== count * size) {
        throw new TypeError(
          `${x!.dtype} ${formatShape(x!.shape)} is not made of float32 rows of ${count * size}`,
        );
      }
      return { dtype: 'float32', shape: [x!.shape[0]!, rows] };
    },
    emit: (onnx, { name, inputs, attributes: { bits, accuracy } }) => {
      const { rows, count, size } = blocksOf(inputs[1]!, bits);
      onnx.node(
        'MatMulNBits',
        inputs.map((input) => input.name),
        [name],
        {
          K: count * size,
          N: rows,
          bits,
          block_size: size,
          accuracy_level: ACCURACY_LEVEL[accuracy],
        },
        'com.microsoft',
      );
    },
    vjp: 'not differentiable',
    samples: [],
  },
  /**
   * Rows by number: codes `[rows, blocks, bytes]`, scales `[rows, blocks]`, indices `[i] → [i, blocks, size]`
   * (com.microsoft GatherBlockQuantized).
   */
  gatherBlocks: {
    infer: ([codes, scales, indices], { bits }) => {
      const { count, size } = requireBlocks(codes!, scales!, bits);
      return { dtype: 'float32', shape: [...indices!.shape, count, size] };
    },
    emit: (onnx, { name, inputs, attributes: { bits } }) => {
      const [codes, scales, indices] = inputs as readonly [Value, Value, Value];
      const { rows, count, size } = blocksOf(codes, bits);
      const ofBlocks = onnx.temporary(name, 'scales');
      onnx.node('Reshape', [scales.name, onnx.integers([rows, count, 1])], [ofBlocks]);
      onnx.node(
        'GatherBlockQuantized',
        [codes.name, indices.name, ofBlocks],
        [name],
        { gather_axis: 0, quantize_axis: 2, bits, block_size: size },
        'com.microsoft',
      );
    },
    vjp: 'not differentiable',
    samples: [],
  },
};
