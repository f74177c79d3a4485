import { describe, expect, test } from 'vitest';
import { type EpochOptions, planEpoch, planEvaluation } from '../../../engine/data/epoch-plan.ts';
import { Random } from '../../../engine/random.ts';

const random = new Random(11);
const lengths = Array.from({ length: 403 }, () => 5 + random.below(400));
const options: EpochOptions = {
  batchSize: 4,
  padToMultipleOf: 64,
  maxLength: 404,
  packing: false,
  groupByLength: true,
  gradientAccumulationSteps: 3,
  seed: 7,
  epoch: 0,
};

describe.each([true, false])('planEpoch with groupByLength %s', (groupByLength) => {
  const plan = planEpoch(lengths, { ...options, groupByLength });
  const batches = plan.steps.flat();

  test('every example once; the last step is what is left', () => {
    const seen = batches.flatMap((batch) => batch.rows.flat()).toSorted((a, b) => a - b);
    expect(seen).toEqual(lengths.map((_, index) => index));
    expect(batches).toHaveLength(101);
    expect(plan.steps).toHaveLength(34);
    expect(plan.steps.map((step) => step.length)).toEqual([...Array(33).fill(3), 2]);
  });

  test('the longest example comes first', () => {
    const longest = Math.max(...lengths);
    expect(Math.max(...batches[0]!.rows.flat().map((index) => lengths[index]!))).toBe(longest);
  });

  test('few padded lengths, each enough and none beyond the maximum', () => {
    for (const { rows, sequenceLength } of batches) {
      const longest = Math.max(...rows.flat().map((index) => lengths[index]!));
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
    .reduce((sum, batch) => sum + batch.rows.length * batch.sequenceLength, 0);
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  expect(grouped.paddingWaste).toBeCloseTo(1 - tokens / positions, 12);
});

/** Sessions that are made for batches of these shapes, of which the last three are kept. */
function sessionsMade(shapes: readonly string[]): number {
  const kept: string[] = [];
  let made = 0;
  for (const shape of shapes) {
    const at = kept.indexOf(shape);
    if (at < 0) made++;
    else kept.splice(at, 1);
    kept.push(shape);
    kept.splice(0, kept.length - 3);
  }
  return made;
}

describe.each([false, true])('the order of grouped batches, packing %s', (packing) => {
  /** Lengths as data has them: many short ones, few long ones. */
  const skewed = Array.from({ length: 3000 }, () => Math.ceil(500 * random.uniform() ** 2) + 4);
  const settings = { ...options, packing, maxLength: 512, gradientAccumulationSteps: 1 };

  test.each([0, 1, 2, 3])('epoch %i: as random as sessions allow', (epoch) => {
    const plan = planEpoch(skewed, { ...settings, epoch });
    const batches = plan.steps.flat();
    const lengthsInOrder = batches.map((batch) => batch.sequenceLength);
    // The largest batch comes first.
    expect(lengthsInOrder[0]).toBe(Math.max(...lengthsInOrder));
    expect(batches[0]!.rows).toHaveLength(settings.batchSize);
    // Batches of one shape come in runs of several, so that few sessions are made.
    const shapes = batches.map(({ rows, sequenceLength }) => `${rows.length}x${sequenceLength}`);
    expect(sessionsMade(shapes)).toBeLessThanOrEqual(Math.ceil(batches.length / 4));
    // From run to run the length rises about as often as it falls.
    const changes = lengthsInOrder
      .slice(1)
      .map((length, i) => Math.sign(length - lengthsInOrder[i]!));
    const [rises, falls] = [1, -1].map((sign) => changes.filter((each) => each === sign).length);
    expect(Math.abs(rises! - falls!)).toBeLessThanOrEqual(0.25 * (rises! + falls!) + 1);
  });

  test('every epoch has the same number of steps', () => {
    const steps = [0, 1, 2, 3].map(
      (epoch) => planEpoch(skewed, { ...settings, epoch }).steps.length,
    );
    expect(new Set(steps).size).toBe(1);
  });
});

test('packing: fewer rows, hardly any padding, and the longest rows no longer than allowed', () => {
  const maxLength = 512;
  const plan = planEpoch(lengths, { ...options, maxLength, packing: true });
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  expect(plan.rows).toBeLessThan(1.05 * Math.ceil(tokens / maxLength));
  expect(plan.paddingWaste).toBeLessThan(0.03);
  for (const { rows, sequenceLength } of plan.steps.flat()) {
    expect(sequenceLength).toBeLessThanOrEqual(maxLength);
    for (const row of rows) {
      const filled = row.reduce((sum, index) => sum + lengths[index]!, 0);
      expect(filled).toBeLessThanOrEqual(sequenceLength);
    }
  }
});

test('evaluation: every example once, longest first', () => {
  const batches = planEvaluation(lengths, options);
  const order = batches.flatMap((batch) => batch.rows.flat().map((index) => lengths[index]!));
  expect(order).toEqual(lengths.toSorted((a, b) => b - a));
});

test('a packed evaluation: every example once, the longest rows first', () => {
  const batches = planEvaluation(lengths, { ...options, packing: true });
  const seen = batches.flatMap((batch) => batch.rows.flat());
  expect(seen.toSorted((a, b) => a - b)).toEqual(lengths.map((_, index) => index));
  const rows = batches.flatMap((batch) => batch.rows);
  const filled = rows.map((row) => row.reduce((sum, index) => sum + lengths[index]!, 0));
  expect(filled).toEqual(filled.toSorted((a, b) => b - a));
  expect(rows.length).toBeLessThan(lengths.length);
});

test('small sets', () => {
  expect(planEpoch([], options)).toEqual({ steps: [], rows: 0, paddingWaste: 0 });
  expect(planEpoch([3], options).steps).toEqual([[{ rows: [[0]], sequenceLength: 64 }]]);
  expect(planEpoch([3], { ...options, maxLength: 10 }).steps[0]![0]!.sequenceLength).toBe(10);
});
