import { LorafaError } from '../errors.ts';
import { permutation, Random } from '../random.ts';
import type { TokenizedExample } from './tokenized-example.ts';

/** The random stream that chooses the held-out rows; epochs use the streams from 0. */
export const HELD_OUT_STREAM = 0xffff_ffff;

/** Two parts of one set of examples, both in their original order. */
export interface DatasetSplit {
  readonly train: readonly TokenizedExample[];
  readonly eval: readonly TokenizedExample[];
}

/**
 * Holds back examples for evaluation, chosen by the seed alone.
 *
 * @param evalSplit a share below 1 (rounded, at least one example) or a number of examples.
 * @throws LorafaError `config.invalid_value` when nothing would be left to train on.
 */
export function splitExamples(
  examples: readonly TokenizedExample[],
  evalSplit: number,
  seed: number,
): DatasetSplit {
  const count = heldOutCount(examples.length, evalSplit);
  if (count >= examples.length) throw heldOutTooMany(evalSplit, examples.length);
  const held = new Set(
    permutation(examples.length, new Random(seed, HELD_OUT_STREAM)).slice(0, count),
  );
  return {
    train: examples.filter((_, index) => !held.has(index)),
    eval: examples.filter((_, index) => held.has(index)),
  };
}

/** How many of so many examples are held back. */
export function heldOutCount(examples: number, evalSplit: number): number {
  return evalSplit < 1 ? Math.max(1, Math.round(evalSplit * examples)) : Math.round(evalSplit);
}

/** The error for a split that leaves nothing of so many rows. */
export function heldOutTooMany(evalSplit: number, rows: number): LorafaError {
  return new LorafaError(
    'config.invalid_value',
    `data.eval_split (${evalSplit}) would hold back all ${rows} usable rows; choose less, or add rows.`,
  );
}
