import type { BlockFormat } from './block-format.ts';

/**
 * Formats whose values are `scale · (code - zero) + offset`, with a scale for each group of neighbours, and
 * an offset where it is not 0 throughout.
 */
export interface AffineGroups {
  /** Values of a group. */
  readonly group: 16 | 32;
  /** How many codes there are: 0 and what follows. */
  readonly levels: number;
  /** Whether groups have offsets; then codes count from 0, else from the middle one. */
  readonly hasOffsets: boolean;
  /** Writes what whole blocks hold, in their order. Offsets are written if there are any. */
  readonly unpack: (blocks: Uint8Array<ArrayBuffer>, into: AffineValues) => void;
}

/** What blocks hold. */
export interface AffineValues {
  /** One for each value. */
  readonly codes: Uint8Array;
  /** One for each group. */
  readonly scales: Float32Array;
  /** One for each group; empty where there are none. */
  readonly offsets: Float32Array;
}

/** A format that is affine in groups. */
export interface AffineFormat extends BlockFormat {
  readonly affine: AffineGroups;
}

/** Unpacks the block that begins at byte `at` and is number `block` of those in `into`. */
export type BlockUnpacker = (
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  into: AffineValues,
  block: number,
) => void;

const { fround } = Math;

/** The code that stands for an offset. */
export function zeroOf({ levels, hasOffsets }: Omit<AffineGroups, 'unpack'>): number {
  return hasOffsets ? 0 : levels / 2;
}

/** Room for what blocks with so many values hold. */
export function affineValues(
  { group, hasOffsets }: Omit<AffineGroups, 'unpack'>,
  values: number,
): AffineValues {
  return {
    codes: new Uint8Array(values),
    scales: new Float32Array(values / group),
    offsets: new Float32Array(hasOffsets ? values / group : 0),
  };
}

/** An affine format by how one block is unpacked. */
export function affineBlocks(
  elements: number,
  bytes: number,
  groups: Omit<AffineGroups, 'unpack'>,
  unpackBlock: BlockUnpacker,
): AffineFormat {
  const unpack = (blocks: Uint8Array<ArrayBuffer>, into: AffineValues): void => {
    for (let at = 0, block = 0; at < blocks.length; at += bytes, block++) {
      unpackBlock(blocks, at, into, block);
    }
  };
  return {
    elements,
    bytes,
    affine: { ...groups, unpack },
    dequantize: (blocks, values) => {
      const { group, hasOffsets } = groups;
      const zero = zeroOf(groups);
      const held = affineValues(groups, elements);
      const { codes, scales, offsets } = held;
      for (let at = 0, to = 0; at < blocks.length; at += bytes, to += elements) {
        unpackBlock(blocks, at, held, 0);
        for (let i = 0; i < elements; i++) {
          const product = scales[(i / group) | 0]! * (codes[i]! - zero);
          values[to + i] = hasOffsets ? fround(product) + offsets[(i / group) | 0]! : product;
        }
      }
    },
  };
}
