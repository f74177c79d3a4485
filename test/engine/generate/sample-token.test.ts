import { describe, expect, test } from 'vitest';
import {
  penalizeRepetition,
  sampleToken,
  tokenProbabilities,
} from '../../../engine/generate/sample-token.ts';
import { Random } from '../../../engine/random.ts';

const LOGITS = Float32Array.of(2.5, -1.25, 0.5, 3, -0.75, 1, 2, -3, 0.25, 1.75);
const SEEN = new Set([3, 1, 6]);

/**
 * [temperature, top_k, top_p, repetition_penalty] and the probabilities that transformers' logits
 * processors and a softmax give for the tokens above.
 */
const TRANSFORMERS: [number[], number[]][] = [
  [
    [1, 0, 1, 1],
    [
      0.23486, 0.005523, 0.031785, 0.387218, 0.009106, 0.052404, 0.14245, 0.00096, 0.024754,
      0.11094,
    ],
  ],
  [
    [0.7, 0, 1, 1],
    [
      0.243638, 0.001149, 0.013993, 0.497685, 0.002346, 0.028583, 0.119271, 9.4e-5, 0.00979,
      0.083451,
    ],
  ],
  [
    [1.5, 4, 1, 1],
    [0.268913, 0, 0, 0.375298, 0, 0, 0.192685, 0, 0, 0.163104],
  ],
  [
    [1, 0, 0.8, 1],
    [0.268268, 0, 0, 0.442299, 0, 0, 0.162713, 0, 0, 0.126721],
  ],
  [
    [0.6, 5, 0.9, 1],
    [0.267696, 0, 0, 0.615963, 0, 0, 0.11634, 0, 0, 0],
  ],
  [
    [1.3, 0, 0.95, 1.4],
    [0.28841, 0, 0.061925, 0.219129, 0, 0.090971, 0.126496, 0, 0.051091, 0.161978],
  ],
  [
    [1, 3, 0.5, 2],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ],
  [
    [1, 0, 0.1, 1],
    [0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  ],
  // The penalty makes a tie, and both tokens stay.
  [
    [1, 1, 1, 1.2],
    [0.5, 0, 0, 0.5, 0, 0, 0, 0, 0, 0],
  ],
  [
    [0.9, 0, 0.7, 0.9],
    [0.234816, 0, 0, 0.592724, 0, 0, 0.172459, 0, 0, 0],
  ],
];

describe('probabilities', () => {
  test.each(TRANSFORMERS)('%j', ([temperature, top_k, top_p, penalty], expected) => {
    const scores = penalizeRepetition(LOGITS, SEEN, penalty!);
    const actual = tokenProbabilities(scores, {
      temperature: temperature!,
      top_k: top_k!,
      top_p: top_p!,
    });
    for (const [token, probability] of expected.entries()) {
      expect(actual[token]).toBeCloseTo(probability, 5);
      expect(actual[token] === 0).toBe(probability === 0);
    }
  });

  test('the logits are left as they were', () => {
    const logits = LOGITS.slice();
    sampleToken(
      logits,
      SEEN,
      { temperature: 1, top_k: 2, top_p: 0.5, repetition_penalty: 2 },
      new Random(1),
    );
    expect(logits).toEqual(LOGITS);
  });
});

describe('sampled tokens', () => {
  const options = { temperature: 1, top_k: 0, top_p: 1, repetition_penalty: 1 };

  test('come as often as their probabilities say', () => {
    const random = new Random(7);
    const draws = 20_000;
    const counts = new Array<number>(LOGITS.length).fill(0);
    for (let i = 0; i < draws; i++) counts[sampleToken(LOGITS, SEEN, options, random)]!++;
    const probabilities = tokenProbabilities(LOGITS, options);
    const chiSquare = counts
      .map(
        (count, token) =>
          (count - draws * probabilities[token]!) ** 2 / (draws * probabilities[token]!),
      )
      .reduce((a, b) => a + b);
    // 99.9th percentile of chi-square with 9 degrees of freedom.
    expect(chiSquare).toBeLessThan(27.88);
  });

  test('are the same for the same seed only', () => {
    const draw = (seed: number): number[] => {
      const random = new Random(seed);
      return Array.from({ length: 30 }, () => sampleToken(LOGITS, SEEN, options, random));
    };
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
  });

  test('never are tokens that top_k rules out', () => {
    const random = new Random(5);
    const drawn = Array.from({ length: 500 }, () =>
      sampleToken(LOGITS, SEEN, { ...options, temperature: 100, top_k: 2 }, random),
    );
    expect(new Set(drawn)).toEqual(new Set([0, 3]));
  });
});

describe('greedy', () => {
  const options = { temperature: 0, top_k: 0, top_p: 1, repetition_penalty: 1 };

  test('takes the likeliest token, the first of equals', () => {
    expect(sampleToken(LOGITS, SEEN, options, new Random(0))).toBe(3);
    expect(sampleToken(Float32Array.of(1, 2, 2), SEEN, options, new Random(0))).toBe(1);
  });

  test('heeds the repetition penalty', () => {
    expect(sampleToken(LOGITS, SEEN, { ...options, repetition_penalty: 1.5 }, new Random(0))).toBe(
      0,
    );
  });

  test.each([0, 1])('refuses logits that are not numbers (temperature %d)', (temperature) => {
    const logits = Float32Array.of(1, Number.NaN, 0);
    expect(() => sampleToken(logits, SEEN, { ...options, temperature }, new Random(0))).toThrow(
      /logits that are not finite/,
    );
    expect(() =>
      sampleToken(Float32Array.of(1, Infinity), SEEN, { ...options, temperature }, new Random(0)),
    ).toThrow(/logits that are not finite/);
  });
});
