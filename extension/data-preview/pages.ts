/** Rows that are shown at a time. */
export const PAGE_ROWS = 5;

/** The position nearest to `start` at which a page can begin, given the number of all rows. */
export function pageStart(start: number, rows: number): number {
  const last = Math.max(0, Math.ceil(rows / PAGE_ROWS) - 1) * PAGE_ROWS;
  const whole = Number.isFinite(start) ? Math.floor(start / PAGE_ROWS) * PAGE_ROWS : 0;
  return Math.min(Math.max(0, whole), last);
}

/**
 * Any page but the one that is shown, if there is another.
 *
 * @param random 0 to 1, 1 excluded
 */
export function randomPage(start: number, rows: number, random: number): number {
  const pages = Math.ceil(rows / PAGE_ROWS);
  if (pages < 2) return 0;
  const shown = start / PAGE_ROWS;
  const other = Math.floor(random * (pages - 1));
  return (other < shown ? other : other + 1) * PAGE_ROWS;
}
