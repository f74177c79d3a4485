import { float16ToNumber } from '../../formats/float16.ts';
import { blocksOf, float16At, nibbleAt, uint16At } from './block-format.ts';
import { GRID_IQ1 } from './grids.ts';

/* Blocks of 256 values that are points of a grid of -1, 0 and 1, moved by an eighth. */

const { fround } = Math;

/** Writes the values of a point, each moved by the same eighth up or down. */
function movedPoint(
  index: number,
  scale: number,
  move: number,
  values: Float32Array,
  to: number,
): void {
  for (let i = 0; i < 8; i++) values[to + i] = scale * (GRID_IQ1[index * 8 + i]! + move);
}

/** d, 32 low bytes of points, 8 times 16 bits: 4 times 3 higher bits of points, 3 of a scale, the move. */
export const IQ1_S = blocksOf(256, 50, (bytes, at, values, to) => {
  const d = float16At(bytes, at);
  for (let i = 0; i < 32; i++) {
    const rest = uint16At(bytes, at + 34 + 2 * (i >> 2));
    const scale = fround(d * (2 * ((rest >> 12) & 7) + 1));
    const index = bytes[at + 2 + i]! | (((rest >> (3 * (i & 3))) & 7) << 8);
    movedPoint(index, scale, rest & 0x8000 ? -0.125 : 0.125, values, to + 8 * i);
  }
});

/**
 * 32 low bytes of points, 32 nibbles of 3 higher bits and the move, 4 times 16 bits: 4 scales of 3
 * bits, and on top a nibble of d.
 */
export const IQ1_M = blocksOf(256, 56, (bytes, at, values, to) => {
  const scales = at + 48;
  const d = float16ToNumber(
    (uint16At(bytes, scales) >> 12) |
      ((uint16At(bytes, scales + 2) >> 12) << 4) |
      ((uint16At(bytes, scales + 4) >> 12) << 8) |
      ((uint16At(bytes, scales + 6) >> 12) << 12),
  );
  for (let i = 0; i < 32; i++) {
    const group = i >> 1;
    const threeBits = (uint16At(bytes, scales + 2 * (group >> 2)) >> (3 * (group & 3))) & 7;
    const scale = fround(d * (2 * threeBits + 1));
    const rest = nibbleAt(bytes, at + 32, i);
    const index = bytes[at + i]! | ((rest & 7) << 8);
    movedPoint(index, scale, rest & 8 ? -0.125 : 0.125, values, to + 8 * i);
  }
});
