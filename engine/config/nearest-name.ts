/**
 * The candidate that was most likely meant by a misspelt name, or undefined when none is near.
 * Case, `-` and `_` do not count (`learningRate` is `learning_rate`); otherwise about one letter
 * in three may differ, or the name is a part of exactly one candidate (`batch_size`, `max_len`).
 */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const wanted = simplify(name);
  let nearest: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, simplify(candidate));
    if (nearest === undefined || distance < nearest.distance) nearest = { candidate, distance };
  }
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  if (nearest !== undefined && nearest.distance <= limit) return nearest.candidate;
  if (wanted.length < SHORTEST_PART) return undefined;
  const containing = candidates.filter((candidate) => simplify(candidate).includes(wanted));
  return containing.length === 1 ? containing[0] : undefined;
}

/** The candidates by how near they are to a name, the nearest first, as far away as they may be. */
export function nearestNames(name: string, candidates: readonly string[]): readonly string[] {
  const wanted = simplify(name);
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(wanted, simplify(candidate)) }))
    .toSorted((a, b) => (a.distance < b.distance ? -1 : Number(a.distance > b.distance)))
    .map(({ candidate }) => candidate);
}

/** Letters that a name needs before it counts as a part of a longer one. */
const SHORTEST_PART = 4;

function simplify(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, '');
}

/** Edit distance in which swapping two neighbours is one edit (optimal string alignment). */
function editDistance(a: string, b: string): number {
  // A name much longer than the other is not near; not measuring it keeps hostile input cheap.
  if (Math.abs(a.length - b.length) > Math.max(a.length, b.length) / 2) return Infinity;
  let beforePrevious: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? beforePrevious[j - 2]! + 1 : Infinity;
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, substitution, swap));
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length]!;
}
