import { float16ToNumber } from '../../formats/float16.ts';
import type { AffineGroups } from './affine-format.ts';

/**
 * How GGML stores the values of a tensor: in blocks along the last dimension. Formats are those of
 * the structs in ggml-common.h. Every product is rounded to float32 where the Python package `gguf`
 * (`gguf.quants`) rounds it, so that the values are the same bit for bit; numbers in double
 * precision hold a product or a sum of two float32 well enough to be rounded once.
 */
export interface BlockFormat {
  /** Values of a block. */
  readonly elements: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /**
   * Writes the values of whole blocks, in their order.
   *
   * @param blocks starts its buffer
   * @param values room for all of them
   */
  readonly dequantize: (blocks: Uint8Array<ArrayBuffer>, values: Float32Array) => void;
  /** What blocks are made of, where groups of values have a scale and at most an offset. */
  readonly affine?: AffineGroups;
}

/** Writes the values of the block that begins at byte `at` to `values` from `to` on. */
export type BlockDecoder = (
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  values: Float32Array,
  to: number,
) => void;

/** A format by how one block is decoded. */
export function blocksOf(elements: number, bytes: number, decode: BlockDecoder): BlockFormat {
  return {
    elements,
    bytes,
    dequantize: (blocks, values) => {
      for (let at = 0, to = 0; at < blocks.length; at += bytes, to += elements) {
        decode(blocks, at, values, to);
      }
    },
  };
}

/** The float16 at a place. */
export function float16At(bytes: Uint8Array, at: number): number {
  return float16ToNumber(uint16At(bytes, at));
}

/** The unsigned number in two bytes. */
export function uint16At(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

/** Four bytes as 32 bits. */
export function bits32At(bytes: Uint8Array, at: number): number {
  return uint16At(bytes, at) | (uint16At(bytes, at + 2) << 16);
}

/** One of the nibbles from a place on, of each byte the low one first. */
export function nibbleAt(bytes: Uint8Array, at: number, index: number): number {
  return (bytes[at + (index >> 1)]! >> ((index & 1) * 4)) & 15;
}

/** A byte as the signed number that it holds. */
export function signed(byte: number): number {
  return (byte << 24) >> 24;
}
