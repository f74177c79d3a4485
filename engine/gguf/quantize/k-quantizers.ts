import { putFloat16, quantizerOf } from './block-encoder.ts';
import { type Fit, fitLine, fitScale, type Search } from './fits.ts';

/*
 * The K formats that Q4_K_M is made of; how they lie in a block is said where they are decoded
 * (`dequantize/k-formats.ts`). Values are divided by what will be read of their group's scale: in a block scales and
 * minima are themselves rounded.
 */

const { fround, floor, max, min } = Math;

/** Groups of a block of Q4_K and Q5_K. */
const GROUPS = 8;
const fits: readonly Fit[] = Array.from({ length: GROUPS }, () => ({ scale: 0, minimum: 0 }));
const scaleCodes = new Uint8Array(GROUPS);
const minimumCodes = new Uint8Array(GROUPS);

/** Nibbles, and for each of 8 groups of 32 values a scale and a minimum in 6 bits. */
export const quantizeQ4_K = quantizerOf('Q4_K', (values, from, bytes, at) => {
  encodeLines(values, from, bytes, at, 15, { first: -10, last: 10 }, (group, i, code) => {
    bytes[at + 16 + (group >> 1) * 32 + i]! |= code << ((group & 1) * 4);
  });
});

/** The same with a fifth bit. */
export const quantizeQ5_K = quantizerOf('Q5_K', (values, from, bytes, at) => {
  encodeLines(values, from, bytes, at, 31, { first: -5, last: 10 }, (group, i, code) => {
    bytes[at + 16 + i]! |= (code >> 4) << group;
    bytes[at + 48 + (group >> 1) * 32 + i]! |= (code & 15) << ((group & 1) * 4);
  });
});

/**
 * Encodes a block of groups with scales and minima.
 *
 * @param most the largest code
 * @param put stores the code of value `i` of a group
 */
function encodeLines(
  values: Float32Array,
  from: number,
  bytes: Uint8Array,
  at: number,
  most: number,
  search: Search,
  put: (group: number, i: number, code: number) => void,
): void {
  let [largestScale, largestDepth] = [0, 0];
  for (let group = 0; group < GROUPS; group++) {
    const fit = fits[group]!;
    fitLine(values, from + group * 32, 32, most, search, fit);
    largestScale = max(largestScale, fit.scale);
    largestDepth = max(largestDepth, -fit.minimum);
  }
  const d = putFloat16(bytes, at, largestScale / 63);
  const dmin = putFloat16(bytes, at + 2, largestDepth / 63);
  for (let group = 0; group < GROUPS; group++) {
    const { scale, minimum } = fits[group]!;
    scaleCodes[group] = sixBits(scale, largestScale / 63);
    minimumCodes[group] = sixBits(-minimum, largestDepth / 63);
    const step = fround(d * scaleCodes[group]!);
    if (step === 0) continue;
    const depth = fround(dmin * minimumCodes[group]!);
    for (let i = 0; i < 32; i++) {
      const code = floor((values[from + group * 32 + i]! + depth) / step + 0.5);
      put(group, i, max(0, min(most, code)));
    }
  }
  putScales(bytes, at + 4);
}

function sixBits(value: number, unit: number): number {
  return unit === 0 ? 0 : min(63, floor(value / unit + 0.5));
}

/** 12 bytes: 6 bits each of the first four groups, and in their high bits and 4 bytes more those of the others. */
function putScales(bytes: Uint8Array, at: number): void {
  for (let group = 0; group < 4; group++) {
    const [scale, minimum] = [scaleCodes[group + 4]!, minimumCodes[group + 4]!];
    bytes[at + group] = scaleCodes[group]! | ((scale >> 4) << 6);
    bytes[at + 4 + group] = minimumCodes[group]! | ((minimum >> 4) << 6);
    bytes[at + 8 + group] = (scale & 15) | ((minimum & 15) << 4);
  }
}

const scales = new Float64Array(16);

/** Six bits from -32 on, and for each of 16 groups of 16 values a signed scale in a byte. */
export const quantizeQ6_K = quantizerOf('Q6_K', (values, from, bytes, at) => {
  let largest = 0;
  for (let group = 0; group < 16; group++) {
    const scale = fitScale(values, from + group * 16, 16, 32);
    scales[group] = scale;
    if (Math.abs(scale) > Math.abs(largest)) largest = scale;
  }
  const d = putFloat16(bytes, at + 208, largest / -128);
  if (d === 0) return;
  for (let group = 0; group < 16; group++) {
    const scaleCode = max(-128, min(127, floor(scales[group]! / d + 0.5)));
    bytes[at + 192 + group] = scaleCode;
    const step = fround(d * scaleCode);
    const run = (group >> 1) & 3;
    const inRun = (group & 1) * 16;
    const nibbles = at + (group >> 3) * 64 + (run & 1) * 32 + inRun;
    const pairs = at + 128 + (group >> 3) * 32 + inRun;
    for (let i = 0; i < 16; i++) {
      const value = values[from + group * 16 + i]!;
      const code = step === 0 ? 0 : max(-32, min(31, floor(value / step + 0.5)));
      const bits = code + 32;
      bytes[nibbles + i]! |= (bits & 15) << ((run >> 1) * 4);
      bytes[pairs + i]! |= (bits >> 4) << (run * 2);
    }
  }
});
