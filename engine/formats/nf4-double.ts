/**
 * Double quantization of NF4's magnitudes (arXiv 2305.14314, section 3), as bitsandbytes does it:
 * their mean is taken off, and what is left becomes one byte each, in blocks of 256 with a
 * magnitude of their own. Half a bit per weight becomes an eighth.
 */

/** Magnitudes that share one magnitude. */
export const ABSMAX_BLOCK = 256;

/** Magnitudes in one byte each. */
export interface QuantizedAbsmax {
  /** Indices into {@link DYNAMIC_MAP}. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** The largest distance from the mean in each block. */
  readonly nested: Float32Array<ArrayBuffer>;
  /** The mean of all magnitudes. */
  readonly offset: number;
}

/**
 * What a byte stands for: bitsandbytes' signed dynamic map, ascending from just above -1 to 1. Each
 * power of ten from 1e-6 to 1 has twice as many values as the one below it (arXiv 1511.04561).
 */
export const DYNAMIC_MAP: Float32Array = dynamicMap();

function dynamicMap(): Float32Array {
  const values = [0, 1];
  for (let bits = 0; bits < 7; bits++) {
    const count = 2 ** bits;
    const boundary = linspace(Math.fround(0.1), 1, count + 1);
    const scale = Math.fround(10 ** (bits - 6));
    for (let i = 0; i < count; i++) {
      const mean = Math.fround(boundary(i) + boundary(i + 1)) / 2;
      values.push(scale * mean, -scale * mean);
    }
  }
  return Float32Array.from(values).sort();
}

/** Element `i` of torch.linspace in float32, which counts from both ends. */
function linspace(start: number, end: number, count: number): (i: number) => number {
  const step = Math.fround(Math.fround(end - start) / (count - 1));
  return (i) => Math.fround(i < count >> 1 ? start + step * i : end - step * (count - 1 - i));
}

/** Quantizes magnitudes. */
export function quantizeAbsmax(absmax: Float32Array): QuantizedAbsmax {
  const offset = Math.fround(absmax.reduce((sum, value) => sum + value, 0) / absmax.length);
  const codes = new Uint8Array(absmax.length);
  const nested = new Float32Array(Math.ceil(absmax.length / ABSMAX_BLOCK));
  for (let block = 0; block < nested.length; block++) {
    const start = block * ABSMAX_BLOCK;
    const distances = absmax.subarray(start, start + ABSMAX_BLOCK).map((value) => value - offset);
    const largest = distances.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    nested[block] = largest;
    codes.set(
      distances.map((distance) => nearestCode(Math.fround(distance / largest))),
      start,
    );
  }
  return { codes, nested, offset };
}

/**
 * The nearest code, as on a GPU; bitsandbytes' kernel for the CPU takes its neighbour for some values
 * that are almost halfway. The lower of two codes that are as near; of NaN (0 / 0) the first.
 */
function nearestCode(value: number): number {
  let low = 0;
  let high = DYNAMIC_MAP.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (DYNAMIC_MAP[middle]! <= value) low = middle;
    else high = middle;
  }
  return Math.fround(DYNAMIC_MAP[high]! - value) < Math.fround(value - DYNAMIC_MAP[low]!)
    ? high
    : low;
}

/** The magnitudes again. */
export function dequantizeAbsmax({ codes, nested, offset }: QuantizedAbsmax): Float32Array {
  return Float32Array.from(codes, (code, i) => {
    const distance = Math.fround(DYNAMIC_MAP[code]! * nested[Math.floor(i / ABSMAX_BLOCK)]!);
    return distance + offset;
  });
}
