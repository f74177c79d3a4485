import { permutation, Random } from '../random.ts';

/** One forward pass: which examples, and the length they are padded to. */
export interface MicroBatch {
  readonly indices: readonly number[];
  readonly sequenceLength: number;
}

/** What an epoch will do, known before it starts. */
export interface EpochPlan {
  /** Optimizer steps, each of at most `gradientAccumulationSteps` micro-batches; the last may be smaller. */
  readonly steps: readonly (readonly MicroBatch[])[];
  /** Share of all positions that is padding, 0 to 1. */
  readonly paddingWaste: number;
}

/** How examples become batches. */
export interface BatchOptions {
  readonly batchSize: number;
  /** Batches are padded to a multiple of this, but never beyond `maxLength`. */
  readonly padToMultipleOf: number;
  readonly maxLength: number;
}

/** How the examples of a training epoch are ordered. */
export interface EpochOptions extends BatchOptions {
  /** Put examples of similar length into the same batch. */
  readonly groupByLength: boolean;
  readonly gradientAccumulationSteps: number;
  readonly seed: number;
  /** Counts from 0; with the seed it decides the order alone, so any step of any epoch can be planned anew. */
  readonly epoch: number;
}

/**
 * Plans one pass over the examples. The batch with the longest example comes first, so that a
 * run that does not fit into memory fails at once.
 *
 * @param lengths tokens of each example.
 */
export function planEpoch(lengths: ArrayLike<number>, options: EpochOptions): EpochPlan {
  const shuffled = permutation(lengths.length, new Random(options.seed, options.epoch));
  const order = options.groupByLength
    ? groupByLength(shuffled, lengths, options.batchSize)
    : shuffled;
  const batches = chunks(order, options.batchSize);
  longestFirst(batches, lengths);
  const microBatches = batches.map((indices) => microBatch(indices, lengths, options));
  return {
    steps: chunks(microBatches, options.gradientAccumulationSteps),
    paddingWaste: paddingWaste(microBatches, lengths),
  };
}

/** Plans an evaluation: every example once, longest first, so that padding is least. */
export function planEvaluation(
  lengths: ArrayLike<number>,
  options: BatchOptions,
): readonly MicroBatch[] {
  const order = Uint32Array.from({ length: lengths.length }, (_, index) => index);
  return chunks(byLength(order, lengths), options.batchSize).map((indices) =>
    microBatch(indices, lengths, options),
  );
}

/**
 * The order of transformers' LengthGroupedSampler: the shuffled examples are cut into mega-batches
 * of up to 50 batches, and each of these is sorted by falling length.
 */
function groupByLength(
  shuffled: Uint32Array,
  lengths: ArrayLike<number>,
  batchSize: number,
): readonly number[] {
  const batchesPerMegaBatch = Math.max(
    1,
    Math.min(Math.floor(shuffled.length / (batchSize * 4)), 50),
  );
  return chunks(shuffled, batchesPerMegaBatch * batchSize).flatMap((megaBatch) =>
    byLength(megaBatch, lengths),
  );
}

/** Falling length; examples of equal length keep their order. */
function byLength(indices: Iterable<number>, lengths: ArrayLike<number>): number[] {
  return [...indices].sort((a, b) => lengths[b]! - lengths[a]!);
}

/** Swaps the batch with the longest example to the front. */
function longestFirst(batches: number[][], lengths: ArrayLike<number>): void {
  const longest = batches.map((indices) => maxLengthOf(indices, lengths));
  const index = longest.reduce((best, length, at) => (length > longest[best]! ? at : best), 0);
  const [first, found] = [batches[0], batches[index]];
  if (first === undefined || found === undefined) return;
  batches[0] = found;
  batches[index] = first;
}

function microBatch(
  indices: readonly number[],
  lengths: ArrayLike<number>,
  { padToMultipleOf, maxLength }: BatchOptions,
): MicroBatch {
  const longest = maxLengthOf(indices, lengths);
  const padded = Math.ceil(longest / padToMultipleOf) * padToMultipleOf;
  return { indices, sequenceLength: Math.max(longest, Math.min(padded, maxLength)) };
}

function paddingWaste(batches: readonly MicroBatch[], lengths: ArrayLike<number>): number {
  let tokens = 0;
  let positions = 0;
  for (const { indices, sequenceLength } of batches) {
    positions += indices.length * sequenceLength;
    for (const index of indices) tokens += lengths[index]!;
  }
  return positions === 0 ? 0 : 1 - tokens / positions;
}

function maxLengthOf(indices: readonly number[], lengths: ArrayLike<number>): number {
  return indices.reduce((longest, index) => Math.max(longest, lengths[index]!), 0);
}

function chunks<T>(items: ArrayLike<T>, size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) =>
    Array.from(
      { length: Math.min(size, items.length - index * size) },
      (_, offset) => items[index * size + offset]!,
    ),
  );
}
