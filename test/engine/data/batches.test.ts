import { expect, test } from 'vitest';
import { makeBatch } from '../../../engine/data/batches.ts';
import { previewExample } from '../../../engine/data/preview.ts';
import type { TokenizedExample } from '../../../engine/data/tokenized-example.ts';
import { byteLevelTokenizer } from '../tokenizer/tiny-tokenizer.ts';

const example = (ids: number[], supervised: number[], truncated = false): TokenizedExample => ({
  inputIds: Int32Array.from(ids),
  supervised: Uint8Array.from(supervised),
  truncated,
  file: 'rows.jsonl',
  line: 3,
});

test('targets are the next tokens; weights stand where the target is learned', () => {
  const batch = makeBatch(
    [[example([11, 12, 13, 9], [0, 0, 1, 1])], [example([21, 9], [0, 1])]],
    5,
    9,
  );
  expect(batch).toEqual({
    batchSize: 2,
    sequenceLength: 5,
    inputIds: BigInt64Array.of(11n, 12n, 13n, 9n, 9n, 21n, 9n, 9n, 9n, 9n),
    positions: BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 0n, 1n, 2n, 3n, 4n),
    targets: BigInt64Array.of(12n, 13n, 9n, 9n, 9n, 9n, 9n, 9n, 9n, 9n),
    // The end token is learned although the padding is the same token.
    weights: Float32Array.of(0, 1, 1, 0, 0, 1, 0, 0, 0, 0),
    lengths: Int32Array.of(4, 2),
    numTokens: 6,
    numSupervisedTokens: 3,
  });
});

test('several examples in a row: positions begin anew, and none is learned from another', () => {
  const rows = [
    [example([11, 12, 9], [0, 1, 1]), example([21, 9], [0, 1]), example([31, 32], [0, 0])],
    [example([41, 42, 43], [0, 1, 0])],
  ];
  const batch = makeBatch(rows, 8, 0);
  expect(batch).toEqual({
    batchSize: 2,
    sequenceLength: 8,
    inputIds: BigInt64Array.from([11, 12, 9, 21, 9, 31, 32, 0, 41, 42, 43, 0, 0, 0, 0, 0], BigInt),
    positions: BigInt64Array.from([0, 1, 2, 0, 1, 0, 1, 2, 0, 1, 2, 3, 4, 5, 6, 7], BigInt),
    targets: BigInt64Array.from([12, 9, 0, 9, 0, 32, 0, 0, 42, 43, 0, 0, 0, 0, 0, 0], BigInt),
    weights: Float32Array.of(1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
    lengths: Int32Array.of(7, 3),
    numTokens: 10,
    numSupervisedTokens: 4,
  });
});

test('a preview shows every token, special ones by name, and the cut', () => {
  const preview = previewExample(
    example([257, 104, 195, 258], [0, 0, 1, 1], true),
    byteLevelTokenizer(),
  );
  expect(preview).toEqual({
    file: 'rows.jsonl',
    line: 3,
    truncated: true,
    tokens: [
      { id: 257, text: '<|im_start|>', special: true, supervised: false },
      { id: 104, text: 'h', special: false, supervised: false },
      { id: 195, text: '<0xC3>', special: false, supervised: true },
      { id: 258, text: '<|im_end|>', special: true, supervised: true },
    ],
  });
});
