import { affineBlocks } from './affine-format.ts';
import { float16At, signed } from './block-format.ts';

/*
 * The K formats: blocks of 256 values in groups that have scales, and some minima, of their own,
 * which are themselves quantized with the block's d and dmin.
 */

/** 16 bytes of scales (low nibble) and minima (high), 64 bytes of bit pairs, d, dmin. */
export const Q2_K = affineBlocks(
  256,
  84,
  { group: 16, levels: 4, hasOffsets: true },
  (bytes, at, { codes, scales, offsets }, block) => {
    const d = float16At(bytes, at + 80);
    const dmin = float16At(bytes, at + 82);
    for (let group = 0; group < 16; group++) {
      const both = bytes[at + group]!;
      scales[16 * block + group] = d * (both & 15);
      offsets[16 * block + group] = -dmin * (both >> 4);
      const to = 256 * block + 16 * group;
      const pairs = at + 16 + pairByte(group);
      const shift = pairShift(group);
      for (let i = 0; i < 16; i++) codes[to + i] = (bytes[pairs + i]! >> shift) & 3;
    }
  },
);

/**
 * 32 bytes of third bits (bit g of byte i belongs to value i of the g-th 32; a bit that is missing
 * takes off 4), 64 bytes of bit pairs, 12 bytes of 6-bit scales from -32 on, d.
 */
export const Q3_K = affineBlocks(
  256,
  110,
  { group: 16, levels: 8, hasOffsets: false },
  (bytes, at, { codes, scales }, block) => {
    const d = float16At(bytes, at + 108);
    for (let group = 0; group < 16; group++) {
      // Low nibbles of 8 bytes, then their high ones; above them pairs of bits of 4 bytes more.
      const low = (bytes[at + 96 + (group & 7)]! >> ((group >> 3) * 4)) & 15;
      const high = (bytes[at + 104 + (group & 3)]! >> ((group >> 2) * 2)) & 3;
      scales[16 * block + group] = d * ((low | (high << 4)) - 32);
      const to = 256 * block + 16 * group;
      const pairs = at + 32 + pairByte(group);
      const shift = pairShift(group);
      const third = at + (group & 1) * 16;
      const bit = group >> 1;
      for (let i = 0; i < 16; i++) {
        const q = (bytes[pairs + i]! >> shift) & 3;
        codes[to + i] = q | (((bytes[third + i]! >> bit) & 1) << 2);
      }
    }
  },
);

/** Of 64 bytes of bit pairs each half holds 128 values: 32 in the lowest pairs, 32 in the next… */
function pairByte(group: number): number {
  return (group >> 3) * 32 + (group & 1) * 16;
}

function pairShift(group: number): number {
  return ((group >> 1) & 3) * 2;
}

/** d, dmin, 12 bytes of 6-bit scales and minima, 128 bytes of nibbles. */
export const Q4_K = affineBlocks(
  256,
  144,
  { group: 32, levels: 16, hasOffsets: true },
  (bytes, at, { codes, scales, offsets }, block) => {
    const d = float16At(bytes, at);
    const dmin = float16At(bytes, at + 2);
    for (let group = 0; group < 8; group++) {
      scales[8 * block + group] = d * scaleOf(bytes, at + 4, group);
      offsets[8 * block + group] = -dmin * minimumOf(bytes, at + 4, group);
      const to = 256 * block + 32 * group;
      const nibbles = at + 16 + (group >> 1) * 32;
      const shift = (group & 1) * 4;
      for (let i = 0; i < 32; i++) codes[to + i] = (bytes[nibbles + i]! >> shift) & 15;
    }
  },
);

/** As Q4_K with 32 bytes of fifth bits (bit g of byte i belongs to group g) before the nibbles. */
export const Q5_K = affineBlocks(
  256,
  176,
  { group: 32, levels: 32, hasOffsets: true },
  (bytes, at, { codes, scales, offsets }, block) => {
    const d = float16At(bytes, at);
    const dmin = float16At(bytes, at + 2);
    for (let group = 0; group < 8; group++) {
      scales[8 * block + group] = d * scaleOf(bytes, at + 4, group);
      offsets[8 * block + group] = -dmin * minimumOf(bytes, at + 4, group);
      const to = 256 * block + 32 * group;
      const nibbles = at + 48 + (group >> 1) * 32;
      const shift = (group & 1) * 4;
      for (let i = 0; i < 32; i++) {
        const fifth = ((bytes[at + 16 + i]! >> group) & 1) << 4;
        codes[to + i] = ((bytes[nibbles + i]! >> shift) & 15) | fifth;
      }
    }
  },
);

/**
 * The 6-bit scale of one of the 8 groups of Q4_K and Q5_K. 12 bytes hold the groups 0 to 3 in their
 * low 6 bits (4 scales, then 4 minima); groups 4 to 7 take nibbles of the last 4 bytes and the 2 bits
 * that are left over in the first 8.
 */
function scaleOf(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group]! & 63;
  return (bytes[at + 4 + group]! & 15) | ((bytes[at + group - 4]! >> 2) & 48);
}

/** The minimum beside {@link scaleOf}. */
function minimumOf(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + 4 + group]! & 63;
  return (bytes[at + 4 + group]! >> 4) | ((bytes[at + group]! >> 2) & 48);
}

/**
 * 128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales, d; from -32 on. Each half
 * of 128 values takes 64 + 32 bytes of them; in it the values lie in 4 runs of 32.
 */
export const Q6_K = affineBlocks(
  256,
  210,
  { group: 16, levels: 64, hasOffsets: false },
  (bytes, at, { codes, scales }, block) => {
    const d = float16At(bytes, at + 208);
    for (let group = 0; group < 16; group++) {
      scales[16 * block + group] = d * signed(bytes[at + 192 + group]!);
      const to = 256 * block + 16 * group;
      const run = (group >> 1) & 3;
      const inRun = (group & 1) * 16;
      const nibbles = at + (group >> 3) * 64 + (run & 1) * 32 + inRun;
      const pairs = at + 128 + (group >> 3) * 32 + inRun;
      const nibbleShift = (run >> 1) * 4;
      const pairShift = run * 2;
      for (let i = 0; i < 16; i++) {
        const low = (bytes[nibbles + i]! >> nibbleShift) & 15;
        const high = (bytes[pairs + i]! >> pairShift) & 3;
        codes[to + i] = low | (high << 4);
      }
    }
  },
);
