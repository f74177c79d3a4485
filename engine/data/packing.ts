/**
 * Puts examples into as few rows as it can: each, the longest first, goes into the row in which it
 * leaves the least space (best-fit decreasing, as TRL's packing strategy `bfd`). None is cut.
 *
 * How many rows there are and how full they are depends on the lengths alone; which of several
 * examples of one length goes where depends on their order.
 *
 * @param order the examples
 * @param lengths tokens of each example, none above `capacity`
 * @param capacity tokens of a row at most
 * @returns the examples of each row
 */
export function packExamples(
  order: Iterable<number>,
  lengths: ArrayLike<number>,
  capacity: number,
): number[][] {
  const rows: number[][] = [];
  const open = new OpenRows();
  for (const example of [...order].sort((a, b) => lengths[b]! - lengths[a]!)) {
    const length = lengths[example]!;
    const found = open.takeTightest(length);
    const row = found?.row ?? [];
    if (found === undefined) rows.push(row);
    row.push(example);
    open.add(row, (found?.space ?? capacity) - length);
  }
  return rows;
}

/** Rows by the space that is left in them, in tokens. */
class OpenRows {
  /** The spaces that occur, rising. Few do: rows are soon full, or equally empty. */
  readonly #spaces: number[] = [];
  readonly #rows = new Map<number, number[][]>();

  add(row: number[], space: number): void {
    const rows = this.#rows.get(space);
    if (rows !== undefined) {
      rows.push(row);
      return;
    }
    this.#rows.set(space, [row]);
    this.#spaces.splice(this.#firstAtLeast(space), 0, space);
  }

  /** Takes out a row in which `length` fits and leaves the least space; undefined where none is. */
  takeTightest(length: number): { readonly row: number[]; readonly space: number } | undefined {
    const index = this.#firstAtLeast(length);
    const space = this.#spaces[index];
    if (space === undefined) return undefined;
    const rows = this.#rows.get(space)!;
    const row = rows.pop()!;
    if (rows.length === 0) {
      this.#rows.delete(space);
      this.#spaces.splice(index, 1);
    }
    return { row, space };
  }

  /** Where in the spaces the first of at least `space` is, or would be (binary search). */
  #firstAtLeast(space: number): number {
    let [low, high] = [0, this.#spaces.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#spaces[middle]! < space) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
