/** An average looks back over at most this share of what there is. */
const SHARE = 1 / 8;

/**
 * Exponential moving average `m ← w·m + (1−w)·y` without the two ways in which the start of a run
 * distorts it. It is not drawn towards zero: as in Adam's bias correction `m / (1 − Π w)` is shown.
 * Nor towards the first values, which are far from the later ones: at the n-th value it looks back over
 * an eighth of them at most, so that `w` is at most `1 − 8/n`. So a short run's line ends where the run
 * does. Values that are no number are left out.
 *
 * @param weight of the past, 0 (none: the values themselves) to below 1
 */
export function smooth(y: Float64Array, weight: number): Float64Array {
  const smoothed = new Float64Array(y.length);
  let average = 0;
  let share = 1;
  let count = 0;
  for (let index = 0; index < y.length; index += 1) {
    const value = y[index]!;
    if (Number.isFinite(value)) {
      count += 1;
      const past = Math.min(weight, Math.max(0, 1 - 1 / (SHARE * count)));
      average = past * average + (1 - past) * value;
      share *= past;
    }
    smoothed[index] = share === 1 ? Number.NaN : average / (1 - share);
  }
  return smoothed;
}
