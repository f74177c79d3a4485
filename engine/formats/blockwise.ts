import type { TensorToWrite } from './safetensors-writer.ts';

/*
 * Matrices in blocks of neighbours along rows, as MatMulNBits of ONNX Runtime reads them: a value is
 * `scale · (code - 2^(bits - 1)) + offset`, with a scale for each block, and an offset where there are any.
 */

/** Names of the tensors beside the codes, uint8 `[rows, blocks, bytes]`, which have the name of the weight itself. */
export const BLOCKWISE_NAMES = {
  /** float32 `[rows, blocks]` */
  scales: (weight: string) => `${weight}.scales`,
  /** float32 `[rows, blocks]` */
  offsets: (weight: string) => `${weight}.offsets`,
} as const;

/** A tensor that may be had in blocks of codes as well. */
export interface TensorInBlocks extends TensorToWrite {
  /** The tensors that then take its place; a matrix `[out, in]` whatever the tensor itself is. */
  readonly inBlocks?: readonly TensorToWrite[] | undefined;
}

/** Bits that codes of so many levels are stored in. */
export function codeBits(levels: number): 4 | 8 {
  return levels <= 16 ? 4 : 8;
}

/** The code that stands for a block's offset. */
export function middleCode(bits: 4 | 8): number {
  return 2 ** (bits - 1);
}
