import { permutation, Random } from '../random.ts';
import { packExamples } from './packing.ts';

/** One forward pass: which examples, and the length that their rows are padded to. */
export interface MicroBatch {
  /** The examples of each row: one, or with packing several. */
  readonly rows: readonly (readonly number[])[];
  readonly sequenceLength: number;
}

/** How the rows of an epoch are filled. */
export interface RowLayout {
  /** Rows of all batches. */
  readonly rows: number;
  /** Share of all positions that is padding, 0 to 1. */
  readonly paddingWaste: number;
}

/** What an epoch will do, known before it starts. */
export interface EpochPlan extends RowLayout {
  /** Optimizer steps, each of at most `gradientAccumulationSteps` micro-batches; the last may be smaller. */
  readonly steps: readonly (readonly MicroBatch[])[];
}

/** How examples become batches. */
export interface BatchOptions {
  /** Rows of a batch. */
  readonly batchSize: number;
  /** Batches are padded to a multiple of this, but never beyond `maxLength`. */
  readonly padToMultipleOf: number;
  /** Tokens of a row at most; no example has more. */
  readonly maxLength: number;
  /** Put several examples into a row where they fit. */
  readonly packing: boolean;
}

/** How the examples of a training epoch are ordered. */
export interface EpochOptions extends BatchOptions {
  /** Put rows of similar length into the same batch. */
  readonly groupByLength: boolean;
  readonly gradientAccumulationSteps: number;
  readonly seed: number;
  /** Counts from 0; with the seed it decides the order alone, so any step of any epoch can be planned anew. */
  readonly epoch: number;
  /** Which part of the epoch's examples these are, where they come in windows; counts from 0. */
  readonly window?: number;
}

/** Random numbers that one window may take: windows so far apart share none. */
const WINDOW_NUMBERS = 2 ** 32;

/** One row: its examples, and the tokens of all of them. */
interface Row {
  readonly examples: readonly number[];
  readonly length: number;
}

/** Batches in a row that one session computes; a session of another shape takes time to make. */
type Run = readonly MicroBatch[];

/** Batches of one shape in a run at most, so that the lengths of an epoch are well mixed. */
const LONGEST_RUN = 16;

/**
 * Plans one pass over the examples (or over those of a window); the number of steps is the same in every epoch. The batch that
 * takes the most memory comes first, so that a run that does not fit fails at once.
 *
 * @param lengths tokens of each example.
 */
export function planEpoch(lengths: ArrayLike<number>, options: EpochOptions): EpochPlan {
  const random = new Random(options.seed, options.epoch);
  random.position = (options.window ?? 0) * WINDOW_NUMBERS;
  const rows = rowsOf(permutation(lengths.length, random), lengths, options);
  // Packing is done with the longest first, and leaves the rows in that order.
  const order = options.packing ? shuffled(rows, random) : rows;
  const runs = options.groupByLength
    ? groupedByLength(order, options, random)
    : chunks(order, options.batchSize).map((batch) => [microBatch(batch, options)]);
  const microBatches = largestFirst(runs, lengths).flat();
  return {
    steps: chunks(microBatches, options.gradientAccumulationSteps),
    rows: rows.length,
    paddingWaste: paddingWaste(microBatches, lengths),
  };
}

/** Plans an evaluation: every example once, the longest rows first, so that padding is least. */
export function planEvaluation(
  lengths: ArrayLike<number>,
  options: BatchOptions,
): readonly MicroBatch[] {
  const rows = rowsOf(Array(lengths.length).keys(), lengths, options);
  return chunks(byLength(rows), options.batchSize).map((batch) => microBatch(batch, options));
}

function rowsOf(
  order: Iterable<number>,
  lengths: ArrayLike<number>,
  { packing, maxLength }: BatchOptions,
): Row[] {
  const rows = packing
    ? packExamples(order, lengths, maxLength)
    : Array.from(order, (example) => [example]);
  return rows.map((examples) => ({ examples, length: tokensOf(examples, lengths) }));
}

/**
 * Batches of rows of similar length. As in transformers' LengthGroupedSampler the shuffled rows are
 * cut into mega-batches of up to 50 batches, and each of these is sorted by length into batches.
 * These are not taken from the longest to the shortest, which learns badly, but in random order, as
 * far as sessions allow: in runs of one shape.
 */
function groupedByLength(rows: readonly Row[], options: EpochOptions, random: Random): Run[] {
  const { batchSize } = options;
  const batchesPerMegaBatch = Math.max(1, Math.min(Math.floor(rows.length / (batchSize * 4)), 50));
  return chunks(rows, batchesPerMegaBatch * batchSize).flatMap((megaBatch) => {
    const batches = chunks(byLength(megaBatch), batchSize).map((batch) =>
      microBatch(batch, options),
    );
    return shuffled(runsOfOneShape(shuffled(batches, random)), random);
  });
}

function runsOfOneShape(batches: readonly MicroBatch[]): Run[] {
  const shapes = new Map<string, MicroBatch[]>();
  for (const batch of batches) {
    const shape = `${batch.rows.length}x${batch.sequenceLength}`;
    const others = shapes.get(shape);
    if (others === undefined) shapes.set(shape, [batch]);
    else others.push(batch);
  }
  return [...shapes.values()].flatMap((run) => chunks(run, LONGEST_RUN));
}

/** Falling length; rows of equal length keep their order. */
function byLength(rows: readonly Row[]): Row[] {
  return rows.toSorted((a, b) => b.length - a.length);
}

/** Moves the largest batch to the front, together with its run. */
function largestFirst(runs: readonly Run[], lengths: ArrayLike<number>): readonly Run[] {
  const all = runs.flat();
  if (all.length === 0) return runs;
  const longestRow = ({ rows }: MicroBatch): number =>
    Math.max(...rows.map((row) => tokensOf(row, lengths)));
  const isLarger = (a: MicroBatch, b: MicroBatch): boolean =>
    positionsOf(a) > positionsOf(b) ||
    (positionsOf(a) === positionsOf(b) && longestRow(a) > longestRow(b));
  const largest = all.reduce((best, batch) => (isLarger(batch, best) ? batch : best));
  const first = runs.find((run) => run.includes(largest))!;
  return [
    [largest, ...first.filter((batch) => batch !== largest)],
    ...runs.filter((run) => run !== first),
  ];
}

function microBatch(
  rows: readonly Row[],
  { padToMultipleOf, maxLength }: BatchOptions,
): MicroBatch {
  const longest = Math.max(...rows.map(({ length }) => length));
  const padded = Math.ceil(longest / padToMultipleOf) * padToMultipleOf;
  return {
    rows: rows.map(({ examples }) => examples),
    sequenceLength: Math.max(longest, Math.min(padded, maxLength)),
  };
}

function paddingWaste(batches: readonly MicroBatch[], lengths: ArrayLike<number>): number {
  let tokens = 0;
  let positions = 0;
  for (const batch of batches) {
    positions += positionsOf(batch);
    for (const row of batch.rows) tokens += tokensOf(row, lengths);
  }
  return positions === 0 ? 0 : 1 - tokens / positions;
}

function positionsOf({ rows, sequenceLength }: MicroBatch): number {
  return rows.length * sequenceLength;
}

function tokensOf(row: readonly number[], lengths: ArrayLike<number>): number {
  return row.reduce((sum, example) => sum + lengths[example]!, 0);
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return Array.from(permutation(items.length, random), (index) => items[index]!);
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
