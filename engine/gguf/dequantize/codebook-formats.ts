import { blocksOf, float16At, nibbleAt, uint16At } from './block-format.ts';

/*
 * Blocks whose nibbles are numbers of entries in a list of 16 values. Of 16 bytes the low nibbles
 * are the values 0 to 15, the high ones 16 to 31.
 */

const { fround } = Math;

/** The values of IQ4_NL and IQ4_XS (`kvalues_iq4nl`): closer together where weights are frequent. */
const NON_LINEAR = Float32Array.of(
  ...[-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113],
);

/** Twice the values of a float with 2 bits of exponent and 1 of fraction (OCP's E2M1). */
const E2M1 = Float32Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

function look(
  list: Float32Array,
  scale: number,
  bytes: Uint8Array,
  at: number,
  values: Float32Array,
  to: number,
): void {
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + i]!;
    values[to + i] = scale * list[pair & 15]!;
    values[to + 16 + i] = scale * list[pair >> 4]!;
  }
}

/** d, 16 bytes. */
export const IQ4_NL = blocksOf(32, 18, (bytes, at, values, to) =>
  look(NON_LINEAR, float16At(bytes, at), bytes, at + 2, values, to),
);

/** d, 8 high bit pairs and 8 low nibbles of scales from -32 on, 8 groups of 16 bytes. */
export const IQ4_XS = blocksOf(256, 136, (bytes, at, values, to) => {
  const d = float16At(bytes, at);
  const highs = uint16At(bytes, at + 2);
  for (let group = 0; group < 8; group++) {
    const low = nibbleAt(bytes, at + 4, group);
    const high = (highs >> (2 * group)) & 3;
    const scale = fround(d * ((low | (high << 4)) - 32));
    look(NON_LINEAR, scale, bytes, at + 8 + group * 16, values, to + group * 32);
  }
});

/** A power of two (OCP's E8M0, halved as the list is doubled), 16 bytes. */
export const MXFP4 = blocksOf(32, 17, (bytes, at, values, to) =>
  look(E2M1, 2 ** (bytes[at]! - 128), bytes, at + 1, values, to),
);
