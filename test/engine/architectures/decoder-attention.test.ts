import { describe, expect, test } from 'vitest';
import { causalAttention } from '../../../engine/architectures/causal-attention.ts';
import { fusedAttention } from '../../../engine/architectures/fused-attention.ts';
import { gradients } from '../../../engine/graph/autodiff.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import { Random } from '../../../engine/random.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { decoderConfig } from '../../support/decoder-config.ts';
import { relativeError } from '../../support/golden.ts';

interface Sizes {
  readonly rows: number;
  readonly length: number;
  readonly heads: number;
  readonly groups: number;
  readonly headDim: number;
  readonly window: number | null;
  /** Lengths of the examples in each row; by default every row is one. */
  readonly examples?: readonly (readonly number[])[];
}

/** The position of every token in its example. */
function positionsOf({ rows, length, examples }: Sizes): number[] {
  const packed = examples ?? Array.from({ length: rows }, () => [length]);
  return packed.flat().flatMap((tokens) => [...Array(tokens).keys()]);
}

/** Attention of one query at a time, in float64. Arrays are `[rows · length, heads, headDim]`. */
function naive(sizes: Sizes, q: Float32Array, k: Float32Array, v: Float32Array): number[] {
  const { rows, length, heads, groups, headDim, window } = sizes;
  const positions = positionsOf(sizes);
  const out = new Array<number>(rows * length * heads * headDim).fill(0);
  const at = (token: number, head: number, count: number): number =>
    (token * count + head) * headDim;
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t < length; t++) {
      for (let head = 0; head < heads; head++) {
        const group = Math.floor((head * groups) / heads);
        const query = at(row * length + t, head, heads);
        const seen = Math.min(positions[row * length + t]! + 1, window ?? Infinity);
        const first = t - seen + 1;
        const weights: number[] = [];
        for (let s = first; s <= t; s++) {
          const key = at(row * length + s, group, groups);
          let score = 0;
          for (let d = 0; d < headDim; d++) score += q[query + d]! * k[key + d]!;
          weights.push(Math.exp(score));
        }
        const total = weights.reduce((a, b) => a + b);
        weights.forEach((weight, i) => {
          const value = at(row * length + first + i, group, groups);
          for (let d = 0; d < headDim; d++) out[query + d]! += (weight / total) * v[value + d]!;
        });
      }
    }
  }
  return out;
}

/** What attention is computed by: ONNX's ops, or one of our own with such products. */
type Kind = 'separate ops' | 'float32' | 'bfloat16';

async function attend(sizes: Sizes, kind: Kind, threads = 1) {
  const { rows, length, heads, groups, headDim, window } = sizes;
  const config = decoderConfig({
    architectures: ['MistralForCausalLM'],
    num_attention_heads: heads,
    num_key_value_heads: groups,
    head_dim: headDim,
    sliding_window: window,
  });
  const b = new GraphBuilder();
  const tokens = rows * length;
  const query = b.input('query', 'float32', [tokens, heads, headDim]);
  const key = b.input('key', 'float32', [tokens, groups, headDim]);
  const value = b.input('value', 'float32', [tokens, groups, headDim]);
  const positions = sizes.examples && b.input('positions', 'int64', [tokens]);
  const separate = causalAttention(b, config, { rows, length }, positions);
  const attention =
    kind === 'separate ops'
      ? separate
      : fusedAttention(b, kind, { rows, length }, separate, positions);
  const out = attention({ layer: 0, part: config.layers[0]!.attention, query, key, value });
  const weights = b.input('weights', 'float32', out.shape);
  const loss = b.reduceSum(b.mul(out, weights), [0, 1]);
  const grads = gradients(b, loss, [query, key, value]);
  const outputs = {
    out,
    loss,
    dQuery: grads.get(query)!,
    dKey: grads.get(key)!,
    dValue: grads.get(value)!,
  };
  const session = await Session.create(removeDeadCode(b.finish(outputs)), { threads });
  const random = new Random(5);
  const draw = (size: number): Float32Array =>
    Float32Array.from({ length: size }, () => random.normal());
  const feeds = {
    query: draw(tokens * heads * headDim),
    key: draw(tokens * groups * headDim),
    value: draw(tokens * groups * headDim),
    weights: draw(tokens * heads * headDim),
  };
  const result = await session.run({
    ...feeds,
    ...(positions && { positions: BigInt64Array.from(positionsOf(sizes), BigInt) }),
  });
  await session.release();
  return { feeds, data: (name: keyof typeof outputs) => result[name]!.data as Float32Array };
}

/** Lengths around the size of a block (128) and beyond. */
const SIZES: readonly (readonly [string, Sizes])[] = [
  ['one block', { rows: 2, length: 9, heads: 2, groups: 2, headDim: 4, window: null }],
  ['a whole block', { rows: 1, length: 128, heads: 2, groups: 1, headDim: 4, window: null }],
  ['three blocks', { rows: 2, length: 290, heads: 4, groups: 2, headDim: 4, window: null }],
  ['three groups', { rows: 1, length: 290, heads: 6, groups: 3, headDim: 4, window: null }],
  ['a window in a block', { rows: 1, length: 100, heads: 2, groups: 2, headDim: 4, window: 7 }],
  ['a window over blocks', { rows: 1, length: 290, heads: 2, groups: 1, headDim: 4, window: 40 }],
  ['a wide window', { rows: 1, length: 290, heads: 2, groups: 1, headDim: 4, window: 200 }],
  ['a window of one', { rows: 1, length: 130, heads: 1, groups: 1, headDim: 2, window: 1 }],
  [
    'packed examples',
    {
      rows: 2,
      length: 12,
      heads: 2,
      groups: 1,
      headDim: 4,
      window: null,
      examples: [
        [3, 5, 4],
        [1, 10, 1],
      ],
    },
  ],
  [
    'packed examples over blocks',
    {
      rows: 2,
      length: 290,
      heads: 4,
      groups: 2,
      headDim: 4,
      window: null,
      examples: [
        [100, 60, 130],
        [128, 2, 160],
      ],
    },
  ],
  [
    'packed examples with a window',
    {
      rows: 1,
      length: 290,
      heads: 2,
      groups: 1,
      headDim: 4,
      window: 40,
      examples: [[20, 150, 100, 20]],
    },
  ],
];

const OUTPUTS = ['out', 'dQuery', 'dKey', 'dValue'] as const;

/** With several threads, sums are made of parts. */
const WAYS: readonly (readonly [Kind, threads: number])[] = [
  ['separate ops', 1],
  ...(hasBfloat16
    ? ([1, 2, 3].map((threads) => ['float32', threads]) as ['float32', number][])
    : []),
];

describe.each(WAYS)(
  'attention in blocks equals that of one query at a time: %s, %i threads',
  (kind, threads) => {
    test.each(SIZES)('%s', async (_, sizes) => {
      const { feeds, data } = await attend(sizes, kind, threads);
      const { query, key, value, weights } = feeds;
      expect(relativeError(data('out'), naive(sizes, query, key, value))).toBeLessThan(1e-5);

      // The slope of the loss along a direction, from float64 differences.
      const random = new Random(6);
      const directions = [query, key, value].map(({ length }) =>
        Float32Array.from({ length }, () => random.normal()),
      );
      const lossAt = (step: number): number => {
        const [q, k, v] = [query, key, value].map((x, i) =>
          x.map((item, j) => item + step * directions[i]![j]!),
        );
        return naive(sizes, q!, k!, v!).reduce((sum, x, i) => sum + x * weights[i]!, 0);
      };
      const step = 2 ** -7;
      const numeric = (lossAt(step) - lossAt(-step)) / (2 * step);
      let analytic = 0;
      for (const [i, name] of (['dQuery', 'dKey', 'dValue'] as const).entries()) {
        data(name).forEach((g, j) => {
          analytic += g * directions[i]![j]!;
        });
      }
      expect(Math.abs(analytic / numeric - 1)).toBeLessThan(1e-2);
    });
  },
);

describe.runIf(hasBfloat16)('attention of numbers rounded to bfloat16', () => {
  test.each(SIZES)('is near that of float32: %s', async (_, sizes) => {
    const [rounded, exact] = [await attend(sizes, 'bfloat16'), await attend(sizes, 'float32')];
    for (const name of OUTPUTS) {
      const error = relativeError(rounded.data(name), exact.data(name));
      expect(error, name).toBeLessThan(2e-2);
      if (sizes.window !== 1) expect(error, name).toBeGreaterThan(1e-5);
    }
  });
});
