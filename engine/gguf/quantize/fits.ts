/** A line through the codes of a group of values: what a code stands for is `minimum + scale · code`. */
export interface Fit {
  scale: number;
  /** Never above 0. */
  minimum: number;
}

/** Which codes are tried: those of a step that is `k · 0.1` codes larger or smaller than the plain one. */
export interface Search {
  readonly first: number;
  readonly last: number;
}

/** Added and taken away again, it leaves an integer: in double precision there is no room for fractions beside it. */
const HALVES_TO_EVEN = 1.5 * 2 ** 52;

/**
 * Finds the line that codes from 0 to `most` are to stand on. Steps around the plain one give codes, codes give the
 * line with the least squared error, and the best of these lines is taken. An error weighs as much as the magnitude
 * of its value and the group's root mean square together: large weights meet large activations.
 *
 * The idea, the weights and the range of steps are those of llama.cpp (`make_qkx2_quants` in ggml-quants.c).
 *
 * @param from where the group of `count` values begins
 * @param fit where the line is put; scale 0 for a group of equal values
 */
export function fitLine(
  values: Float32Array,
  from: number,
  count: number,
  most: number,
  { first, last }: Search,
  fit: Fit,
): void {
  let [lowest, highest, squares] = [0, Number.NEGATIVE_INFINITY, 0];
  for (let i = from; i < from + count; i++) {
    const value = values[i]!;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
    squares += value * value;
  }
  fit.scale = 0;
  fit.minimum = lowest;
  if (!(highest > lowest)) return;
  const middle = Math.sqrt(squares / count);
  // Sums that no code changes: of weights, of weighted values and of their squares.
  let [sw, sx, sxx] = [0, 0, 0];
  for (let i = from; i < from + count; i++) {
    const value = values[i]!;
    const weighted = (middle + Math.abs(value)) * value;
    sw += middle + Math.abs(value);
    sx += weighted;
    sxx += weighted * value;
  }
  let best = Number.POSITIVE_INFINITY;
  for (let k = first - 1; k <= last; k++) {
    // Before the search comes the plain step, whose line is not fitted.
    const isPlain = k < first;
    // Steps begin at the minimum of the best line so far.
    const { minimum: origin } = fit;
    const perValue = (most + (isPlain ? 0 : k / 10)) / (highest - origin);
    let [sl, sll, sxl] = [0, 0, 0];
    for (let i = from; i < from + count; i++) {
      const value = values[i]!;
      let code = perValue * (value - origin) + HALVES_TO_EVEN - HALVES_TO_EVEN;
      if (code > most) code = most;
      else if (code < 0) code = 0;
      const weighted = (middle + Math.abs(value)) * code;
      sl += weighted;
      sll += weighted * code;
      sxl += weighted * value;
    }
    let [scale, minimum] = [1 / perValue, origin];
    if (!isPlain) {
      const determinant = sw * sll - sl * sl;
      if (determinant <= 0) continue;
      scale = (sw * sxl - sx * sl) / determinant;
      minimum = (sll * sx - sl * sxl) / determinant;
      if (minimum > 0) [scale, minimum] = [sxl / sll, 0];
    }
    const error =
      sxx + scale * (scale * sll + 2 * minimum * sl - 2 * sxl) + minimum * (minimum * sw - 2 * sx);
    if (error < best) {
      best = error;
      fit.scale = scale;
      fit.minimum = minimum;
    }
  }
}

/** The steps that are tried for {@link fitScale}: the plain one first, which others have to be better than. */
const STEPS = [0, ...Array.from({ length: 19 }, (_, index) => index - 9)];

/** A gain below this is rounding. */
const GAIN = 1 + 1e-12;

/**
 * Finds the scale for codes from `-most` to `most - 1`, with the least squared error; an error weighs as much as the
 * square of its value (as llama.cpp does it, `make_qx_quants` in ggml-quants.c). The value of largest magnitude
 * takes the code `-most` or one next to it, so that a scale may be negative.
 *
 * @returns 0 for a group of zeros
 */
export function fitScale(values: Float32Array, from: number, count: number, most: number): number {
  let peak = 0;
  for (let i = from; i < from + count; i++) {
    if (Math.abs(values[i]!) > Math.abs(peak)) peak = values[i]!;
  }
  if (Math.abs(peak) < 1e-15) return 0;
  let [best, scale] = [0, 0];
  for (const k of STEPS) {
    const perValue = -(most + k / 10) / peak;
    let [sll, sxl] = [0, 0];
    for (let i = from; i < from + count; i++) {
      const value = values[i]!;
      const code = Math.max(-most, Math.min(most - 1, Math.floor(perValue * value + 0.5)));
      const weighted = value * value * code;
      sll += weighted * code;
      sxl += weighted * value;
    }
    // The best scale for these codes leaves the squares of the values less this.
    const explained = sll > 0 ? (sxl * sxl) / sll : 0;
    if (explained > best * GAIN) [best, scale] = [explained, sxl / sll];
  }
  return scale;
}
