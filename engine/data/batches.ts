import type { TokenizedExample } from './tokenized-example.ts';

/**
 * Rows of one forward pass, padded at the right to a common length. Arrays are row-major
 * `[batchSize, sequenceLength]`.
 */
export interface Batch {
  readonly batchSize: number;
  readonly sequenceLength: number;
  /** Token ids; the padding token behind the end of a row. */
  readonly inputIds: BigInt64Array;
  /** The next token at every position, `inputIds` moved left by one; the padding token where there is none. */
  readonly targets: BigInt64Array;
  /** 1 where the target is learned, otherwise 0: never on padding, nor at a row's last token. */
  readonly weights: Float32Array;
  /** Tokens of each row without padding, `[batchSize]`. */
  readonly lengths: Int32Array;
  /** Sum of `lengths`. */
  readonly numTokens: number;
  /** Sum of `weights`. */
  readonly numSupervisedTokens: number;
}

/** Builds a batch. @param rows at least one, none longer than `sequenceLength`. */
export function makeBatch(
  rows: readonly TokenizedExample[],
  sequenceLength: number,
  padId: number,
): Batch {
  const size = rows.length * sequenceLength;
  const inputIds = new BigInt64Array(size).fill(BigInt(padId));
  const targets = new BigInt64Array(size).fill(BigInt(padId));
  const weights = new Float32Array(size);
  const lengths = Int32Array.from(rows, (row) => row.inputIds.length);
  let numTokens = 0;
  let numSupervisedTokens = 0;
  for (const [rowIndex, { inputIds: ids, supervised }] of rows.entries()) {
    const start = rowIndex * sequenceLength;
    for (const [position, id] of ids.entries()) {
      inputIds[start + position] = BigInt(id);
      if (position === 0) continue;
      targets[start + position - 1] = BigInt(id);
      weights[start + position - 1] = supervised[position]!;
      numSupervisedTokens += supervised[position]!;
    }
    numTokens += ids.length;
  }
  return {
    batchSize: rows.length,
    sequenceLength,
    inputIds,
    targets,
    weights,
    lengths,
    numTokens,
    numSupervisedTokens,
  };
}
