/**
 * NF4, the 4-bit normal float of QLoRA (arXiv 2305.14314), bit for bit as bitsandbytes writes it:
 * a weight is cut into blocks of 64 elements, row-major and across rows, and each element becomes
 * one of sixteen values times the largest magnitude of its block.
 */

/** Elements that share one magnitude. */
export const NF4_BLOCK = 64;

/** What the sixteen codes stand for: quantiles of a normal distribution, 0 among them. */
export const NF4_VALUES = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
);

/** Between two codes; an element on a bound gets the lower one. */
const BOUNDS = Float32Array.from(
  { length: NF4_VALUES.length - 1 },
  (_, code) => Math.fround(NF4_VALUES[code]! + NF4_VALUES[code + 1]!) / 2,
);

/** What zeros are divided by. bitsandbytes also stores it as the magnitude of a last block of zeros. */
const SMALLEST_ABSMAX = Math.fround(1e-38);

/** Number of bytes that the codes of so many elements take: two in a byte. */
export function nf4CodeBytes(elements: number): number {
  return Math.ceil(elements / 2);
}

/** Number of magnitudes that so many elements have. */
export function nf4Blocks(elements: number): number {
  return Math.ceil(elements / NF4_BLOCK);
}

/** The largest magnitude of each block; NaN for one that holds NaN. */
export function nf4Absmax(weights: Float32Array): Float32Array<ArrayBuffer> {
  const absmax = new Float32Array(nf4Blocks(weights.length));
  for (let block = 0; block < absmax.length; block++) {
    const start = block * NF4_BLOCK;
    const end = Math.min(start + NF4_BLOCK, weights.length);
    let largest = 0;
    for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(weights[i]!));
    const isWhole = end - start === NF4_BLOCK;
    absmax[block] = isWhole ? largest : Math.max(largest, SMALLEST_ABSMAX);
  }
  return absmax;
}

/**
 * The codes of a weight, two in a byte, the first in the high half; an odd one out is joined by the
 * code of 0.
 *
 * @param absmax what {@link nf4Absmax} says of the weight
 */
export function nf4Codes(weights: Float32Array, absmax: Float32Array): Uint8Array<ArrayBuffer> {
  const codes = new Uint8Array(nf4CodeBytes(weights.length));
  for (let block = 0; block < absmax.length; block++) {
    const start = block * NF4_BLOCK;
    const end = Math.min(start + NF4_BLOCK, weights.length);
    const scaled = scaling(absmax[block]!, end - start === NF4_BLOCK);
    for (let i = start; i < end; i += 2) {
      const second = i + 1 < end ? scaled(weights[i + 1]!) : 0;
      codes[i >> 1] = (codeOf(scaled(weights[i]!)) << 4) | codeOf(second);
    }
  }
  return codes;
}

/** In float32, bitsandbytes multiplies whole blocks by the reciprocal and divides the last one. */
function scaling(absmax: number, isWhole: boolean): (weight: number) => number {
  if (!isWhole) return (weight) => Math.fround(weight / absmax);
  const reciprocal = Math.fround(1 / Math.max(absmax, SMALLEST_ABSMAX));
  return (weight) => Math.fround(weight * reciprocal);
}

/** The number of bounds below a value, by halving. */
function codeOf(scaled: number): number {
  let code = 0;
  for (let step = 8; step > 0; step >>= 1) {
    if (scaled > BOUNDS[code + step - 1]!) code += step;
  }
  return code;
}

/**
 * The values that codes stand for.
 *
 * @param elements how many there are
 */
export function dequantizeNf4(
  codes: Uint8Array,
  absmax: Float32Array,
  elements: number,
): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: elements }, (_, i) => {
    const pair = codes[i >> 1]!;
    return NF4_VALUES[i % 2 === 0 ? pair >> 4 : pair & 15]! * absmax[Math.floor(i / NF4_BLOCK)]!;
  });
}
