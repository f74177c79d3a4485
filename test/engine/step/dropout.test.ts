import { describe, expect, test } from 'vitest';
import type { Batch } from '../../../engine/data/batches.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { inputDropout } from '../../../engine/step/dropout.ts';
import { goldenCase, goldenRunner, valuesOf, zeroGradients } from '../train/golden-case.ts';

const TOKENS = 96;
const FEATURES = 80;
const SIZE = TOKENS * FEATURES;

/** What dropout makes of ones, for each (seed, module). */
async function masks(
  probability: number,
  draws: readonly (readonly [seed: number, module: number])[],
): Promise<number[][]> {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [TOKENS, FEATURES]);
  const dropout = inputDropout(b, probability, b.input('seed', 'int64', []));
  const modules = [...new Set(draws.map(([, module]) => module))];
  const outputs = modules.map((module) => [`${module}`, dropout(x, module)] as const);
  const session = await Session.create(b.finish(Object.fromEntries(outputs)), { threads: 1 });
  const ones = new Float32Array(SIZE).fill(1);
  const results: number[][] = [];
  for (const [seed, module] of draws) {
    const outcome = await session.run({ x: ones, seed: BigInt64Array.of(BigInt(seed)) });
    results.push(Array.from(outcome[`${module}`]!.data, Number));
  }
  await session.release();
  return results;
}

const shareOf = (items: readonly boolean[]): number =>
  items.filter((item) => item).length / items.length;
const droppedShare = (mask: readonly number[]): number => shareOf(mask.map((x) => x === 0));

/** Five standard deviations of the share of `count` independent draws. */
const bound = (probability: number, count: number): number =>
  5 * Math.sqrt((probability * (1 - probability)) / count);

/** How often two masks agree; independent ones do with p² + (1 − p)². */
function agreement(a: readonly number[], b: readonly number[]): number {
  return shareOf(a.map((x, i) => (x === 0) === (b[i] === 0)));
}

describe('the mask', () => {
  test.each([0.05, 0.1, 0.5, 0.9])('drops a share of %s and scales the rest', async (p) => {
    for (const mask of await masks(p, [
      [0, 0],
      [1, 3],
      [2 ** 31 - 1, 200],
    ])) {
      expect(Math.abs(droppedShare(mask) - p)).toBeLessThan(bound(p, SIZE));
      const kept = new Set(mask.filter((x) => x !== 0));
      expect(kept.size).toBe(1);
      expect([...kept][0]).toBeCloseTo(1 / (1 - p), 5);
    }
  });

  test('is spread evenly over tokens and over features', async () => {
    const p = 0.3;
    const [mask] = await masks(p, [[7, 1]]);
    for (let token = 0; token < TOKENS; token++) {
      const row = mask!.slice(token * FEATURES, (token + 1) * FEATURES);
      expect(Math.abs(droppedShare(row) - p)).toBeLessThan(bound(p, FEATURES));
    }
    for (let feature = 0; feature < FEATURES; feature++) {
      const column = mask!.filter((_, i) => i % FEATURES === feature);
      expect(Math.abs(droppedShare(column) - p)).toBeLessThan(bound(p, TOKENS));
    }
  });

  test('of neighbouring tokens and features is independent', async () => {
    const p = 0.5;
    const [mask] = await masks(p, [[11, 2]]);
    const expected = p * p + (1 - p) * (1 - p);
    for (const distance of [1, 2, FEATURES, 2 * FEATURES, 7 * FEATURES + 3]) {
      const agreed = agreement(mask!.slice(distance), mask!.slice(0, -distance));
      expect(Math.abs(agreed - expected), `${distance}`).toBeLessThan(bound(expected, SIZE));
    }
  });

  test('is the same for the same seed and module, and independent for others', async () => {
    const p = 0.25;
    const draws = [
      [5, 0],
      [5, 0],
      [6, 0],
      [5, 1],
      [1_000_000, 0],
      [2 ** 30, 1],
    ] as const;
    const [first, same, ...others] = await masks(p, draws);
    expect(same).toEqual(first);
    const expected = p * p + (1 - p) * (1 - p);
    for (const other of others) {
      expect(Math.abs(agreement(first!, other) - expected)).toBeLessThan(bound(expected, SIZE));
    }
  });
});

describe('gradients through dropout', () => {
  test.each(['lorafa-all-linear', 'lora-linear'])(
    'agree with differences of the loss under the same mask: %s',
    async (name) => {
      const reference = await goldenCase(name);
      const { trainee, runner } = await goldenRunner(reference, { dropout: 0.4 });
      const batch = reference.steps[0]![0]!;
      const scale = 1 / batch.numSupervisedTokens;
      const sums = zeroGradients(trainee);
      await runner.run(batch, scale, 9, sums);
      const gradients = valuesOf(sums);
      const start = valuesOf(trainee.tensors);
      // Along the gradient itself the loss changes most, which float32 sees best.
      let slope = 0;
      for (const gradient of gradients.values()) for (const g of gradient) slope += g * g;
      const lossAt = async (step: number): Promise<number> => {
        for (const [key, gradient] of gradients) {
          const moved = start
            .get(key)!
            .map((at, i) => at + (step * gradient[i]!) / Math.sqrt(slope));
          trainee.tensors.get(key)!.write(moved);
        }
        return runner.run(batch, scale, 9, sums);
      };
      const step = 0.02;
      const numeric = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
      await runner.release();
      expect(Math.abs(numeric / Math.sqrt(slope) - 1)).toBeLessThan(2e-3);
    },
  );
});

test('the seed of a batch is all that its mask depends on', async () => {
  const reference = await goldenCase('lora-linear');
  const { trainee, runner } = await goldenRunner(reference, { dropout: 0.4 });
  const batch: Batch = reference.steps[0]![0]!;
  const lossOf = (seed: number): Promise<number> =>
    runner.run(batch, 1, seed, zeroGradients(trainee));
  const first = await lossOf(3);
  expect(await lossOf(4)).not.toBe(first);
  expect(await lossOf(3)).toBe(first);
  await runner.release();
});
