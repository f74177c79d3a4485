import { bits32At, blocksOf, float16At, nibbleAt, uint16At } from './block-format.ts';
import {
  GRID_IQ2_S,
  GRID_IQ2_XS,
  GRID_IQ2_XXS,
  GRID_IQ3_S,
  GRID_IQ3_XXS,
  type Grid,
} from './grids.ts';

/*
 * Blocks of 256 values that are points of a grid: the magnitudes of 8 or 4 values, whose signs are
 * bits beside them.
 */

const { fround } = Math;

/**
 * Writes the magnitudes of one point.
 *
 * @param width values of a point
 * @param signs bit i makes value i negative
 */
function point(
  grid: Grid,
  width: 4 | 8,
  index: number,
  scale: number,
  signs: number,
  values: Float32Array,
  to: number,
): void {
  for (let i = 0; i < width; i++) {
    const value = scale * grid[index * width + i]!;
    values[to + i] = (signs >> i) & 1 ? -value : value;
  }
}

/** Signs of 8 values in 7 bits: the number of negative ones is even. */
function evenSigns(bits: number): number {
  let parity = bits;
  parity ^= parity >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return bits | ((parity & 1) << 7);
}

/** d, 8 groups of 4 bytes of points and 32 bits: 4 times 7 of signs, 4 of a scale. */
export const IQ2_XXS = blocksOf(256, 66, (bytes, at, values, to) => {
  const d = float16At(bytes, at);
  for (let group = 0; group < 8; group++) {
    const points = at + 2 + group * 8;
    const rest = bits32At(bytes, points + 4);
    const scale = fround(fround(d * (0.5 + (rest >>> 28))) * 0.25);
    for (let i = 0; i < 4; i++) {
      const signs = evenSigns((rest >>> (7 * i)) & 127);
      point(GRID_IQ2_XXS, 8, bytes[points + i]!, scale, signs, values, to + group * 32 + i * 8);
    }
  }
});

/** d, 32 points in 9 bits with 7 of signs, 16 nibbles of scales. */
export const IQ2_XS = blocksOf(256, 74, (bytes, at, values, to) => {
  const d = float16At(bytes, at);
  for (let i = 0; i < 32; i++) {
    const bits = uint16At(bytes, at + 2 + 2 * i);
    const scale = fround(fround(d * (0.5 + nibbleAt(bytes, at + 66, i >> 1))) * 0.25);
    point(GRID_IQ2_XS, 8, bits & 511, scale, evenSigns(bits >> 9), values, to + 8 * i);
  }
});

/** d, 32 low bytes of points, 32 bytes of signs, 32 high bit pairs of points, 16 nibbles of scales. */
export const IQ2_S = blocksOf(256, 82, (bytes, at, values, to) => {
  const d = float16At(bytes, at);
  for (let i = 0; i < 32; i++) {
    const high = (bytes[at + 66 + (i >> 2)]! >> (2 * (i & 3))) & 3;
    const scale = fround(fround(d * (0.5 + nibbleAt(bytes, at + 74, i >> 1))) * 0.25);
    const index = bytes[at + 2 + i]! | (high << 8);
    point(GRID_IQ2_S, 8, index, scale, bytes[at + 34 + i]!, values, to + 8 * i);
  }
});

/** d, 64 bytes of points, 8 times 32 bits: 4 times 7 of signs, 4 of a scale. */
export const IQ3_XXS = blocksOf(256, 98, (bytes, at, values, to) => {
  const d = float16At(bytes, at);
  for (let group = 0; group < 8; group++) {
    const rest = bits32At(bytes, at + 66 + 4 * group);
    const scale = fround(fround(d * (0.5 + (rest >>> 28))) * 0.5);
    for (let i = 0; i < 8; i++) {
      const signs = evenSigns((rest >>> (7 * (i >> 1))) & 127) >> (4 * (i & 1));
      const index = bytes[at + 2 + group * 8 + i]!;
      point(GRID_IQ3_XXS, 4, index, scale, signs, values, to + group * 32 + i * 4);
    }
  }
});

/** d, 64 low bytes of points, their ninth bits, 32 bytes of signs, 8 nibbles of scales. */
export const IQ3_S = blocksOf(256, 110, (bytes, at, values, to) => {
  const d = float16At(bytes, at);
  for (let i = 0; i < 64; i++) {
    const ninth = (bytes[at + 66 + (i >> 3)]! >> (i & 7)) & 1;
    const scale = fround(d * (1 + 2 * nibbleAt(bytes, at + 106, i >> 3)));
    const signs = bytes[at + 74 + (i >> 1)]! >> (4 * (i & 1));
    point(GRID_IQ3_S, 4, bytes[at + 2 + i]! | (ninth << 8), scale, signs, values, to + 4 * i);
  }
});
