import { blocksOf, float16At } from './block-format.ts';

/* Blocks of 256 values that are -d, 0 or d. */

/**
 * Bytes of 5 ternary digits, as fractions of 256: 32 that hold 160 values, 16 that hold 80, and 4 of
 * which 4 digits hold 16; d. All first digits come before all second ones.
 */
export const TQ1_0 = blocksOf(256, 54, (bytes, at, values, to) => {
  const d = float16At(bytes, at + 52);
  let next = digits(bytes, at, 32, 5, d, values, to);
  next = digits(bytes, at + 32, 16, 5, d, values, next);
  digits(bytes, at + 48, 4, 4, d, values, next);
});

/** @returns where the next value goes */
function digits(
  bytes: Uint8Array,
  at: number,
  count: number,
  ofEach: number,
  d: number,
  values: Float32Array,
  to: number,
): number {
  let next = to;
  for (let power = 1, digit = 0; digit < ofEach; digit++, power *= 3) {
    for (let i = 0; i < count; i++) {
      const rest = (bytes[at + i]! * power) & 255;
      values[next++] = d * (((rest * 3) >> 8) - 1);
    }
  }
  return next;
}

/** 64 bytes of bit pairs, arranged as those of Q2_K, d. */
export const TQ2_0 = blocksOf(256, 66, (bytes, at, values, to) => {
  const d = float16At(bytes, at + 64);
  for (let run = 0; run < 8; run++) {
    const pairs = at + (run >> 2) * 32;
    const shift = (run & 3) * 2;
    for (let i = 0; i < 32; i++) {
      values[to + run * 32 + i] = d * (((bytes[pairs + i]! >> shift) & 3) - 1);
    }
  }
});
