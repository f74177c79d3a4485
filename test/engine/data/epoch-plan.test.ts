import { describe, expect, test } from 'vitest';
import { type EpochOptions, planEpoch, planEvaluation } from '../../../engine/data/epoch-plan.ts';
import { Random } from '../../../engine/random.ts';

const random = new Random(11);
const lengths = Array.from({ length: 403 }, () => 5 + random.below(400));
const options: EpochOptions = {
  batchSize: 4,
  padToMultipleOf: 64,
  maxLength: 404,
  groupByLength: true,
  gradientAccumulationSteps: 3,
  seed: 7,
  epoch: 0,
};

describe.each([true, false])('planEpoch with groupByLength %s', (groupByLength) => {
  const plan = planEpoch(lengths, { ...options, groupByLength });
  const batches = plan.steps.flat();

  test('every example once; the last step is what is left', () => {
    const seen = batches.flatMap((batch) => batch.indices).toSorted((a, b) => a - b);
    expect(seen).toEqual(lengths.map((_, index) => index));
    expect(batches).toHaveLength(101);
    expect(plan.steps).toHaveLength(34);
    expect(plan.steps.map((step) => step.length)).toEqual([...Array(33).fill(3), 2]);
  });

  test('the longest example comes first', () => {
    const longest = Math.max(...lengths);
    expect(Math.max(...batches[0]!.indices.map((index) => lengths[index]!))).toBe(longest);
  });

  test('few padded lengths, each enough and none beyond the maximum', () => {
    for (const { indices, sequenceLength } of batches) {
      const longest = Math.max(...indices.map((index) => lengths[index]!));
      expect(sequenceLength).toBeGreaterThanOrEqual(longest);
      expect(sequenceLength).toBeLessThan(longest + 64);
      expect(sequenceLength % 64 === 0 || sequenceLength === 404).toBe(true);
    }
  });

  test('seed and epoch decide the order', () => {
    const again = (changes: Partial<EpochOptions>): unknown =>
      planEpoch(lengths, { ...options, groupByLength, ...changes });
    expect(again({})).toEqual(plan);
    expect(again({ epoch: 1 })).not.toEqual(plan);
    expect(again({ seed: 8 })).not.toEqual(plan);
  });
});

test('grouping by length pads less', () => {
  const grouped = planEpoch(lengths, options);
  const shuffled = planEpoch(lengths, { ...options, groupByLength: false });
  expect(grouped.paddingWaste).toBeLessThan(shuffled.paddingWaste / 2);
  const positions = grouped.steps
    .flat()
    .reduce((sum, batch) => sum + batch.indices.length * batch.sequenceLength, 0);
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  expect(grouped.paddingWaste).toBeCloseTo(1 - tokens / positions, 12);
});

test('evaluation: every example once, longest first', () => {
  const batches = planEvaluation(lengths, options);
  const order = batches.flatMap((batch) => batch.indices.map((index) => lengths[index]!));
  expect(order).toEqual(lengths.toSorted((a, b) => b - a));
});

test('small sets', () => {
  expect(planEpoch([], options)).toEqual({ steps: [], paddingWaste: 0 });
  expect(planEpoch([3], options).steps).toEqual([[{ indices: [0], sequenceLength: 64 }]]);
  expect(planEpoch([3], { ...options, maxLength: 10 }).steps[0]![0]!.sequenceLength).toBe(10);
});
