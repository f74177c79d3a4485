/**
 * The two 16-bit float formats, converted in bulk. Bits are kept in `Uint16Array`s; widening is
 * exact, narrowing rounds to nearest, ties to even (IEEE 754), and every NaN stays a NaN.
 */

const FLOAT32_INFINITY = 0x7f800000;
/** 2^16, the first power of two beyond float16's range. */
const FLOAT16_OVERFLOW = 0x47800000;
/** 2^-14, the smallest normal float16. */
const FLOAT16_SMALLEST_NORMAL = 0x38800000;
/** 2^-25, half of the smallest subnormal float16: this and everything below rounds to zero. */
const FLOAT16_ROUNDS_TO_ZERO = 0x33000000;
/** Difference of the exponent biases, 127 - 15, in float32's exponent field. */
const EXPONENT_REBIAS = 112 << 23;

function widenFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function narrowToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > FLOAT32_INFINITY) return sign | 0x7e00;
  if (magnitude >= FLOAT16_OVERFLOW) return sign | 0x7c00;
  if (magnitude >= FLOAT16_SMALLEST_NORMAL) {
    // A carry out of the fraction raises the exponent, up to infinity: just what rounding asks for.
    const rounding = 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((magnitude - EXPONENT_REBIAS + rounding) >>> 13);
  }
  if (magnitude <= FLOAT16_ROUNDS_TO_ZERO) return sign;
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - (magnitude >>> 23);
  const quotient = significand >>> shift;
  const remainder = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const roundUp = remainder > half || (remainder === half && (quotient & 1) === 1);
  return sign | (quotient + (roundUp ? 1 : 0));
}

/** Every float16 value by its bits: a look-up beats arithmetic, and 256 KiB is little. */
let float16Table: Float32Array | undefined;

function float16Values(): Float32Array {
  float16Table ??= Float32Array.from({ length: 0x10000 }, (_, bits) => widenFloat16(bits));
  return float16Table;
}

/** The value of one float16. */
export function float16ToNumber(bits: number): number {
  return float16Values()[bits]!;
}

/** Widens float16 to float32, exactly. `target` is as long as `source`. */
export function float16ToFloat32(
  source: Uint16Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  const values = float16Values();
  for (let index = 0; index < source.length; index++) target[index] = values[source[index]!]!;
  return target;
}

/** Widens bfloat16 to float32, exactly. `target` is as long as `source`. */
export function bfloat16ToFloat32(
  source: Uint16Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  const bits = bitsOf(target);
  for (let index = 0; index < source.length; index++) bits[index] = source[index]! << 16;
  return target;
}

/** Rounds float32 to float16; magnitudes from 65520 on become infinite. `target` is as long as `source`. */
export function float32ToFloat16(
  source: Float32Array,
  target: Uint16Array = new Uint16Array(source.length),
): Uint16Array {
  const bits = bitsOf(source);
  for (let index = 0; index < source.length; index++) target[index] = narrowToFloat16(bits[index]!);
  return target;
}

/** Rounds float32 to bfloat16. */
export function float32ToBfloat16(source: Float32Array): Uint16Array {
  const bits = bitsOf(source);
  const target = new Uint16Array(source.length);
  for (let index = 0; index < source.length; index++) {
    const value = bits[index]!;
    target[index] =
      (value & 0x7fffffff) > FLOAT32_INFINITY
        ? (value >>> 16) | 0x40 // Rounding could turn a NaN into an infinity; make it quiet instead.
        : (value + 0x7fff + ((value >>> 16) & 1)) >>> 16;
  }
  return target;
}

function bitsOf(floats: Float32Array): Uint32Array {
  return new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
}
