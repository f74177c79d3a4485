import { bits32At, blocksOf, float16At, signed } from './block-format.ts';

/*
 * Blocks of 32 values with a scale d, and some with a minimum m. Of 16 bytes of nibbles the low ones
 * are the values 0 to 15, the high ones 16 to 31.
 */

const { fround } = Math;

/** d, nibbles from -8 on. */
export const Q4_0 = blocksOf(32, 18, (bytes, at, values, to) => {
  const d = float16At(bytes, at);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 2 + i]!;
    values[to + i] = d * ((pair & 15) - 8);
    values[to + 16 + i] = d * ((pair >> 4) - 8);
  }
});

/** d, m, nibbles. */
export const Q4_1 = blocksOf(32, 20, (bytes, at, values, to) => {
  const d = float16At(bytes, at);
  const m = float16At(bytes, at + 2);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 4 + i]!;
    values[to + i] = fround(d * (pair & 15)) + m;
    values[to + 16 + i] = fround(d * (pair >> 4)) + m;
  }
});

/** d, 32 fifth bits (bit i belongs to value i), nibbles; from -16 on. */
export const Q5_0 = blocksOf(32, 22, (bytes, at, values, to) => {
  const d = float16At(bytes, at);
  const fifth = bits32At(bytes, at + 2);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 6 + i]!;
    values[to + i] = d * (((pair & 15) | (((fifth >>> i) & 1) << 4)) - 16);
    values[to + 16 + i] = d * (((pair >> 4) | (((fifth >>> (16 + i)) & 1) << 4)) - 16);
  }
});

/** d, m, 32 fifth bits, nibbles. */
export const Q5_1 = blocksOf(32, 24, (bytes, at, values, to) => {
  const d = float16At(bytes, at);
  const m = float16At(bytes, at + 2);
  const fifth = bits32At(bytes, at + 4);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 8 + i]!;
    values[to + i] = fround(d * ((pair & 15) | (((fifth >>> i) & 1) << 4))) + m;
    values[to + 16 + i] = fround(d * ((pair >> 4) | (((fifth >>> (16 + i)) & 1) << 4))) + m;
  }
});

/** d, 32 signed bytes. */
export const Q8_0 = blocksOf(32, 34, (bytes, at, values, to) => {
  const d = float16At(bytes, at);
  for (let i = 0; i < 32; i++) values[to + i] = d * signed(bytes[at + 2 + i]!);
});
