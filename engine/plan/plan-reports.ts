import { z } from 'zod';
import type { Frozen } from '../frozen.ts';
import { SIZED } from '../sized.ts';

/**
 * What is told of a run before it starts, by whoever plans it. A run keeps it in its journal, so that the types
 * are made from the schemas that a journal is checked against.
 */

const count = z.int().nonnegative();
/** A path or a name. */
const name = z.string().max(2 ** 16, SIZED);

/** Something slow before the first step, such as unpacking weights or evaluating the base model. */
export type ProgressEvent = Frozen<z.infer<typeof progressEvent>>;

export const progressEvent = z.object({
  type: z.literal('progress'),
  /** What is being done, as words for a person: "unpacking weights". */
  task: name,
  /** `done` of `total` units; the unit is the task's own. */
  done: z.number().nonnegative(),
  total: z.number().nonnegative(),
  /** Bytes per second, lately, where the units are bytes that are downloaded. */
  rate: z.number().nonnegative().exactOptional(),
});

const rowLayout = z.object({
  /** Rows of all batches. */
  rows: count,
  /** Share of all positions that is padding, 0 to 1. */
  paddingWaste: z.number().min(0).max(1),
});

/** How the rows of a training epoch are filled, and how they would be in the other way. */
export type PaddingReport = Frozen<z.infer<typeof paddingReport>>;

export const paddingReport = z.object({
  /** `data.packing`: which of the two the run does. */
  packing: z.boolean(),
  /** Every row one example. */
  unpacked: rowLayout,
  /** Several examples in a row. */
  packed: rowLayout,
});

const mixedShare = z.object({
  /** As the configuration names it. */
  name,
  /** Rows of it in an epoch. */
  rows: count,
  /** Rows that it has. */
  available: count,
});

/** How much of the data comes from one of several sets. */
export type MixedShare = Frozen<z.infer<typeof mixedShare>>;

/** Counts over one split of the data, after tokenizing and truncation. */
export type SplitReport = Frozen<z.infer<typeof splitReport>>;

export const splitReport = z.object({
  /** Rows that take part in the run. */
  rows: count,
  tokens: count,
  /** Tokens that the loss is computed on. */
  supervisedTokens: count,
  /** Rows cut at `data.max_length`. */
  truncatedRows: count,
  /** Rows left out because they could not be used. */
  droppedRows: count,
  /** Where data are streamed: rows that were looked at, of which all numbers were inferred. */
  inferredFrom: count.exactOptional(),
  /** Where sets are mixed: how much of the data comes from each, the first set first. */
  sets: z.array(mixedShare).max(1_000, SIZED).exactOptional(),
});
