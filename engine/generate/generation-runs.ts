/**
 * Tokens of the pieces in which a long text is read, which bound its memory and how long it cannot be stopped. In
 * larger ones products make more of each weight that is unpacked or read.
 */
export const CHUNK_SIZES = [128, 256] as const;

/** The most tokens that are read in one run where a text is read in pieces. */
export const LARGEST_CHUNK = CHUNK_SIZES[1];

/**
 * Tokens of a run where a graph is made for one number of them: a token that was just generated, the rest of
 * a prompt, and a prompt's chunks.
 */
export const RUN_SIZES: readonly number[] = [1, 32, ...CHUNK_SIZES];

/** Next tokens of a text that are read at once. */
export interface GenerationRun {
  /** Index of the first of them. */
  readonly start: number;
  readonly count: number;
  /** Tokens that the graph takes: what is missing is filled up and forgotten. */
  readonly size: number;
}

/**
 * How tokens are read by graphs that give the logits of one token each: none comes after a token whose
 * logits are wanted.
 *
 * @param count of the tokens
 * @param logitRows indices of those whose logits are wanted
 * @param room positions that the model has left, of which those that are filled up take some
 */
export function generationRuns(
  count: number,
  logitRows: readonly number[],
  room: number,
): readonly GenerationRun[] {
  const ends = [...new Set([...logitRows.map((row) => row + 1), count])].sort((a, b) => a - b);
  const runs: GenerationRun[] = [];
  let start = 0;
  for (const end of ends) {
    while (start < end) {
      const size = sizeOfRun(end - start, room - start);
      const taken = Math.min(size, end - start);
      runs.push({ start, count: taken, size });
      start += taken;
    }
  }
  return runs;
}

/** Whether tokens are a whole chunk of a text, of which at most the last one's logits are wanted. */
export function isWholeChunk(count: number, logitRows: readonly number[]): boolean {
  return CHUNK_SIZES.some((size) => size === count) && logitRows.every((row) => row === count - 1);
}

/** A text in the pieces in which it is read: whole chunks, the largest first, and what is left of it. */
export function inChunks(tokenIds: readonly number[]): readonly (readonly number[])[] {
  const chunks: (readonly number[])[] = [];
  let start = 0;
  while (start < tokenIds.length) {
    const left = tokenIds.length - start;
    const size = CHUNK_SIZES.findLast((each) => each <= left) ?? left;
    chunks.push(tokenIds.slice(start, start + size));
    start += size;
  }
  return chunks;
}

/** How tokens are read by a graph that takes any number of them, of which a run may read so many at most. */
export function wholeRuns(count: number, most: number): readonly GenerationRun[] {
  return Array.from({ length: Math.ceil(count / most) }, (_, i) => {
    const start = i * most;
    const size = Math.min(most, count - start);
    return { start, count: size, size };
  });
}

/** The largest size that the tokens fill, or the smallest that holds the few that are left. */
function sizeOfRun(left: number, room: number): number {
  const filled = RUN_SIZES.findLast((size) => size <= left)!;
  const holding = RUN_SIZES.find((size) => size >= left && size <= room);
  return filled > 1 || left === 1 || holding === undefined ? filled : holding;
}
