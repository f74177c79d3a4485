import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { Random } from '../../../engine/random.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { relativeError } from '../../support/golden.ts';

const numbers = (count: number, seed: number): Float32Array => {
  const random = new Random(seed, 0);
  return Float32Array.from({ length: count }, () => random.uint32() / 2 ** 31 - 1);
};

describe.runIf(hasBfloat16)("attention of a chunk is ONNX's", () => {
  test.each([
    // Heads, heads of keys, their width, tokens, and numbers of keys one after the other.
    [4, 2, 8, 5, [5, 9, 5]],
    [3, 3, 16, 32, [33, 128]],
    [6, 1, 8, 128, [200]],
    // More scores than are computed at once.
    [8, 4, 8, 128, [4100, 4228]],
  ] as const)(
    '%d heads, %d of keys of %d numbers, %d tokens',
    async (heads, groups, width, tokens, runs) => {
      const builder = new GraphBuilder();
      const inputs = [
        builder.input('query', 'float32', [tokens, heads * width]),
        builder.input('key', 'float32', ['keys', groups * width]),
        builder.input('value', 'float32', ['keys', groups * width]),
        builder.input('bias', 'float32', [tokens, 'keys']),
      ];
      const sizes = { numHeads: heads, numKeyValueHeads: groups };
      const chunk = builder.apply('chunkAttention', inputs, sizes);
      const expected = builder.apply('groupedAttention', inputs, sizes);
      const session = await Session.create(builder.finish({ chunk, expected }), { threads: 2 });
      try {
        for (const keys of runs) {
          const bias = Float32Array.from({ length: tokens * keys }, (_, i) =>
            i % keys > keys - tokens + Math.floor(i / keys) ? -1e9 : 0,
          );
          const results = await session.run({
            query: { data: numbers(tokens * heads * width, 1), shape: [tokens, heads * width] },
            key: { data: numbers(keys * groups * width, 2), shape: [keys, groups * width] },
            value: { data: numbers(keys * groups * width, 3), shape: [keys, groups * width] },
            bias: { data: bias, shape: [tokens, keys] },
          });
          const [actual, theirs] = ['chunk', 'expected'].map((name) => [
            ...(results[name]!.data as Float32Array),
          ]);
          expect(relativeError(actual!, theirs!)).toBeLessThan(1e-5);
        }
      } finally {
        await session.release();
      }
    },
  );
});
