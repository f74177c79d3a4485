import { affineBlocks } from './affine-format.ts';
import { bits32At, float16At } from './block-format.ts';

/*
 * Blocks of 32 values with a scale d, and some with a minimum m. Of 16 bytes of nibbles the low ones
 * are the values 0 to 15, the high ones 16 to 31.
 */

const NIBBLES = { group: 32, levels: 16 } as const;
const FIVE_BITS = { group: 32, levels: 32 } as const;

/** d, nibbles from -8 on. */
export const Q4_0 = affineBlocks(
  32,
  18,
  { ...NIBBLES, hasOffsets: false },
  (bytes, at, { codes, scales }, block) => {
    scales[block] = float16At(bytes, at);
    unpackNibbles(bytes, at + 2, codes, 32 * block);
  },
);

/** d, m, nibbles. */
export const Q4_1 = affineBlocks(
  32,
  20,
  { ...NIBBLES, hasOffsets: true },
  (bytes, at, { codes, scales, offsets }, block) => {
    scales[block] = float16At(bytes, at);
    offsets[block] = float16At(bytes, at + 2);
    unpackNibbles(bytes, at + 4, codes, 32 * block);
  },
);

/** d, 32 fifth bits (bit i belongs to value i), nibbles; from -16 on. */
export const Q5_0 = affineBlocks(
  32,
  22,
  { ...FIVE_BITS, hasOffsets: false },
  (bytes, at, { codes, scales }, block) => {
    scales[block] = float16At(bytes, at);
    unpackNibbles(bytes, at + 6, codes, 32 * block);
    addFifthBits(bits32At(bytes, at + 2), codes, 32 * block);
  },
);

/** d, m, 32 fifth bits, nibbles. */
export const Q5_1 = affineBlocks(
  32,
  24,
  { ...FIVE_BITS, hasOffsets: true },
  (bytes, at, { codes, scales, offsets }, block) => {
    scales[block] = float16At(bytes, at);
    offsets[block] = float16At(bytes, at + 2);
    unpackNibbles(bytes, at + 8, codes, 32 * block);
    addFifthBits(bits32At(bytes, at + 4), codes, 32 * block);
  },
);

/** d, 32 signed bytes. */
export const Q8_0 = affineBlocks(
  32,
  34,
  { group: 32, levels: 256, hasOffsets: false },
  (bytes, at, { codes, scales }, block) => {
    scales[block] = float16At(bytes, at);
    // A signed byte counted from -128 on.
    for (let i = 0; i < 32; i++) codes[32 * block + i] = bytes[at + 2 + i]! ^ 128;
  },
);

function unpackNibbles(bytes: Uint8Array, at: number, codes: Uint8Array, to: number): void {
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + i]!;
    codes[to + i] = pair & 15;
    codes[to + 16 + i] = pair >> 4;
  }
}

function addFifthBits(fifth: number, codes: Uint8Array, to: number): void {
  for (let i = 0; i < 32; i++) codes[to + i]! |= ((fifth >>> i) & 1) << 4;
}
