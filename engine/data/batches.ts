import type { MicroBatch } from './epoch-plan.ts';
import type { TokenizedExample } from './tokenized-example.ts';

/**
 * Rows of one forward pass, each of one or several examples, padded at the right to a common
 * length. Arrays are row-major `[batchSize, sequenceLength]`.
 */
export interface Batch {
  readonly batchSize: number;
  readonly sequenceLength: number;
  /** Token ids; the padding token behind the end of a row. */
  readonly inputIds: BigInt64Array;
  /** Places of the tokens in their examples, from 0 in each; padding counts on. */
  readonly positions: BigInt64Array;
  /** The next token at every position, `inputIds` moved left by one; the padding token where there is none. */
  readonly targets: BigInt64Array;
  /** 1 where the target is learned, otherwise 0: never on padding, nor at an example's last token. */
  readonly weights: Float32Array;
  /** Tokens of each row without padding, `[batchSize]`. */
  readonly lengths: Int32Array;
  /** Sum of `lengths`. */
  readonly numTokens: number;
  /** Sum of `weights`. */
  readonly numSupervisedTokens: number;
}

/**
 * Builds a batch.
 *
 * @param rows the examples of each row; at least one row, none longer than `sequenceLength`
 */
export function makeBatch(
  rows: readonly (readonly TokenizedExample[])[],
  sequenceLength: number,
  padId: number,
): Batch {
  const size = rows.length * sequenceLength;
  const inputIds = new BigInt64Array(size).fill(BigInt(padId));
  const positions = new BigInt64Array(size);
  const targets = new BigInt64Array(size).fill(BigInt(padId));
  const weights = new Float32Array(size);
  const lengths = new Int32Array(rows.length);
  let numSupervisedTokens = 0;
  for (const [rowIndex, examples] of rows.entries()) {
    const rowStart = rowIndex * sequenceLength;
    let start = rowStart;
    for (const { inputIds: ids, supervised } of examples) {
      for (const [position, id] of ids.entries()) {
        inputIds[start + position] = BigInt(id);
        positions[start + position] = BigInt(position);
        if (position === 0) continue;
        targets[start + position - 1] = BigInt(id);
        weights[start + position - 1] = supervised[position]!;
        numSupervisedTokens += supervised[position]!;
      }
      start += ids.length;
    }
    lengths[rowIndex] = start - rowStart;
    for (let at = start; at < rowStart + sequenceLength; at++) {
      positions[at] = positions[at - 1]! + 1n;
    }
  }
  return {
    batchSize: rows.length,
    sequenceLength,
    inputIds,
    positions,
    targets,
    weights,
    lengths,
    numTokens: lengths.reduce((sum, length) => sum + length, 0),
    numSupervisedTokens,
  };
}

/** The batch that was planned over `examples`. */
export function plannedBatch(
  { rows, sequenceLength }: MicroBatch,
  examples: readonly TokenizedExample[],
  padId: number,
): Batch {
  const filled = rows.map((row) => row.map((index) => examples[index]!));
  return makeBatch(filled, sequenceLength, padId);
}
