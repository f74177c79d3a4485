import type { Points } from './run-history.ts';

/**
 * At most two points for each of `columns` equal parts of the range: the lowest and the highest, in
 * their order. Drawn as lines they cover the same pixels as all points: no spike is lost. The
 * neighbours of the range and the last point are kept, so that lines run to its edges.
 *
 * @param from first step that is visible
 * @param to last step that is visible
 * @param columns width of the chart in pixels
 */
export function downSample({ x, y }: Points, from: number, to: number, columns: number): Points {
  const start = Math.max(0, lowerBound(x, from) - 1);
  const end = Math.min(x.length, lowerBound(x, to) + 1);
  if (end - start <= 2 * columns) return { x: x.subarray(start, end), y: y.subarray(start, end) };

  const kept = new Int32Array(2 * columns + 8);
  let count = 0;
  const keep = (index: number): void => {
    if (count > 0 && kept[count - 1]! >= index) return;
    kept[count] = index;
    count += 1;
  };
  const perStep = columns / (to - from || 1);
  for (let first = start; first < end; ) {
    const column = Math.floor((x[first]! - from) * perStep);
    let low = first;
    let high = first;
    let next = first;
    for (; next < end && Math.floor((x[next]! - from) * perStep) === column; next += 1) {
      if (y[next]! < y[low]! || Number.isNaN(y[low]!)) low = next;
      if (y[next]! > y[high]! || Number.isNaN(y[high]!)) high = next;
    }
    keep(Math.min(low, high));
    keep(Math.max(low, high));
    first = next;
  }
  keep(end - 1);
  const indexes = kept.subarray(0, count);
  return { x: pick(x, indexes), y: pick(y, indexes) };
}

/** Index of the first value that is not below `limit`, in ascending values. */
export function lowerBound(values: Float64Array, limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function pick(values: Float64Array, indexes: Int32Array): Float64Array {
  const picked = new Float64Array(indexes.length);
  for (let at = 0; at < indexes.length; at += 1) picked[at] = values[indexes[at]!]!;
  return picked;
}
