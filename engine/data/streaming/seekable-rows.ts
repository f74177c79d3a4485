import type { BadRow, Row } from '../row.ts';

/** A data file of which some rows can be read without those before them. */
export interface SeekableRows {
  readonly file: string;
  readonly rows: number;
  /**
   * The first row of each block, from 0, rising; the first is 0. Rows of one block are read together;
   * reading from the start of a block costs nothing for what is before it.
   */
  readonly blocks: ArrayLike<number>;
  /** Tells files apart that hold other rows, wherever they lie. */
  readonly digest: string;
  /**
   * The rows from `start` to before `end`, both within one block.
   *
   * @throws LorafaError `data.corrupt` where the file is not any more what it was
   */
  read(start: number, end: number): AsyncGenerator<Row | BadRow>;
}

/** Told how much of a file has been looked through, 0 to 1. */
export type OnScanned = (share: number) => void;
