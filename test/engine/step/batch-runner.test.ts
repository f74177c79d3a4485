import { describe, expect, test } from 'vitest';
import { LOSS_CHUNK } from '../../../engine/architectures/cross-entropy.ts';
import { type Batch, makeBatch } from '../../../engine/data/batches.ts';
import type { TokenizedExample } from '../../../engine/data/tokenized-example.ts';
import { Random } from '../../../engine/random.ts';
import { relativeError } from '../../support/golden.ts';
import { accumulated } from '../train/golden-case.ts';

const PAD = 0;

/** Rows of random tokens, of which those from `prompt` on are learned. */
function examples(lengths: readonly number[], prompt: number): TokenizedExample[] {
  const random = new Random(3);
  return lengths.map((length, line) => ({
    inputIds: Int32Array.from({ length }, () => random.below(96)),
    supervised: Uint8Array.from({ length }, (_, i) => Number(i >= Math.max(1, prompt))),
    truncated: false,
    file: 'rows.jsonl',
    line,
  }));
}

/** One example to a row. */
function batchOf(rows: readonly TokenizedExample[], length: number, pad = PAD): Batch {
  return makeBatch(
    rows.map((row) => [row]),
    length,
    pad,
  );
}

describe('one batch gives what its rows give alone', () => {
  test.each(['lorafa-all-linear', 'lora-linear', 'full-tied'])(
    '%s, with more tokens than a chunk of the loss holds',
    async (name) => {
      const rows = examples([60, 64, 40, 64, 63], 1);
      const together = await accumulated(name, [batchOf(rows, 64)]);
      expect(together.supervised).toBeGreaterThan(2 * LOSS_CHUNK);
      const alone = await accumulated(
        name,
        rows.map((row) => batchOf([row], row.inputIds.length)),
      );
      expect(together.loss).toBeCloseTo(alone.loss, 5);
      for (const [tensor, gradient] of together.gradients) {
        const expected = alone.gradients.get(tensor)!;
        expect(relativeError(gradient, expected), tensor).toBeLessThan(1e-4);
      }
    },
  );

  test('with few learned tokens, and padding beyond the longest row', async () => {
    const rows = examples([12, 5, 9], 4);
    const together = await accumulated('lorafa-all-linear', [batchOf(rows, 32)]);
    expect(together.supervised).toBe(8 + 1 + 5);
    const alone = await accumulated(
      'lorafa-all-linear',
      rows.map((row) => batchOf([row], row.inputIds.length)),
    );
    expect(together.loss).toBeCloseTo(alone.loss, 5);
    for (const [tensor, gradient] of together.gradients) {
      expect(relativeError(gradient, alone.gradients.get(tensor)!)).toBeLessThan(1e-4);
    }
  });
});

test('what stands in the padding has no influence', async () => {
  const rows = examples([12, 20], 1);
  const [zeros, others] = await Promise.all(
    [0, 7].map((pad) => accumulated('lora-linear', [batchOf(rows, 32, pad)])),
  );
  expect(others).toEqual(zeros);
});
