/** Index of the last of some rising numbers that is at most `value`, which the first is. */
export function lastAtMost(numbers: ArrayLike<number>, value: number): number {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (numbers[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
