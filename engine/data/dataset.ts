import { setImmediate } from 'node:timers/promises';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { type Dataset, DatasetBuilder } from './dataset-builder.ts';
import type { DataOptions } from './options.ts';
import type { BadRow, Row } from './row.ts';
import { readRows } from './rows.ts';

/** Settings of {@link loadDataset} that are not part of a configuration. */
export interface LoadOptions {
  /** Called now and then with the share of the data that is done, 0 to 1. */
  readonly onProgress?: (share: number, rows: number) => void;
}

/** Rows between two reports of progress. */
const PROGRESS_ROWS = 200;

/** Rows that are watched over together: watching one of them costs a tenth of what the row does. */
const PORTION_ROWS = 25;

/**
 * Reads data files and turns their rows into examples. Only tokens are kept in memory.
 *
 * @param paths files, each with an optional row slice (`train.jsonl[:1000]`).
 * @throws LorafaError `data.empty` without a single row; `data.no_supervision` when no token of
 * any row would be learned; with more than `max_bad_rows` unusable rows the code of the first of
 * them (`data.corrupt`, `data.bad_rows`, `data.chat_template` or `model.tokenizer`); TimeLimitError of
 * one of the last two codes when a row takes the model's own files too long; and what
 * {@link readRows}, {@link recogniseShape} and {@link wrapsAsChat} throw.
 */
export async function loadDataset(
  paths: readonly string[],
  tokenizer: Tokenizer,
  options: DataOptions,
  { onProgress }: LoadOptions = {},
): Promise<Dataset> {
  const builder = new DatasetBuilder(paths, tokenizer, options);
  for await (const share of fillDataset(builder, paths)) {
    // The end is told below, once.
    if (builder.rows % PROGRESS_ROWS === 0 && share < 1) onProgress?.(share, builder.rows);
  }
  onProgress?.(1, builder.rows);
  return builder.finish();
}

/**
 * Reads data files into a data set that can be looked at in between. Yields the share that is done,
 * 0 to 1, after every few rows; messages to the process are let in there.
 *
 * @throws what {@link loadDataset} throws, but for the refusals of `finish`
 */
export async function* fillDataset(
  builder: DatasetBuilder,
  paths: readonly string[],
): AsyncGenerator<number> {
  let portion: (Row | BadRow)[] = [];
  for await (const row of readRows(paths)) {
    portion.push(row);
    if (portion.length < PORTION_ROWS) continue;
    builder.add(portion);
    portion = [];
    // Reading and tokenizing hardly ever wait, and the process has to stay responsive.
    await setImmediate();
    yield row.progress;
  }
  builder.add(portion);
}
