import type { RowPlace } from './row.ts';

/** One row as the model sees it. */
export interface TokenizedExample extends RowPlace {
  /** Token ids, without padding. */
  readonly inputIds: Int32Array;
  /** 1 where the token is a target of the loss; as long as `inputIds`. The first is always 0, since nothing predicts it. */
  readonly supervised: Uint8Array;
  /** The row was longer than `max_length` and lost its end. */
  readonly truncated: boolean;
}

/** Number of targets of the loss. */
export function countSupervised(example: TokenizedExample): number {
  return example.supervised.reduce((count, flag) => count + flag, 0);
}
