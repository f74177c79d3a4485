/**
 * Exponential moving average without the pull towards zero at the start, as in Adam's bias
 * correction: `m ← w·m + (1−w)·y`, shown as `m / (1 − wⁿ)`. Values that are no number are left out
 * of the average.
 *
 * @param weight of the past, 0 (none: the values themselves) to below 1
 */
export function smooth(y: Float64Array, weight: number): Float64Array {
  const smoothed = new Float64Array(y.length);
  let average = 0;
  let share = 1;
  for (let index = 0; index < y.length; index += 1) {
    const value = y[index]!;
    if (Number.isFinite(value)) {
      average = weight * average + (1 - weight) * value;
      share *= weight;
    }
    smoothed[index] = share === 1 ? Number.NaN : average / (1 - share);
  }
  return smoothed;
}
