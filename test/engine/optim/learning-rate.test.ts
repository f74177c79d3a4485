import { describe, expect, test } from 'vitest';
import { learningRate, type ScheduleOptions } from '../../../engine/optim/learning-rate.ts';
import { goldenJson } from '../../support/golden.ts';

interface GoldenSchedule {
  readonly lr_scheduler_type: ScheduleOptions['lr_scheduler_type'];
  readonly lr_scheduler_kwargs: Record<string, number>;
  readonly lr: number;
  readonly warmup_steps: number;
  readonly steps: number;
  readonly learning_rates: readonly number[];
}

const schedules = goldenJson<GoldenSchedule[]>('schedules.json').map((schedule) => ({
  ...schedule,
  title: `${schedule.lr_scheduler_type} ${JSON.stringify(schedule.lr_scheduler_kwargs)}, ${schedule.warmup_steps} warm-up steps`,
}));

describe('schedules equal those of transformers get_scheduler', () => {
  test.each(schedules)('$title', (schedule) => {
    const options = { ...schedule, learning_rate: schedule.lr, max_steps: schedule.steps };
    const rates = schedule.learning_rates.map((_, step) => learningRate(options, step));
    for (const [step, expected] of schedule.learning_rates.entries()) {
      expect(rates[step]).toBeCloseTo(expected, 12);
    }
  });

  test('all five kinds are among them, with and without warm-up', () => {
    const kinds = new Set(schedules.map(({ lr_scheduler_type }) => lr_scheduler_type));
    expect(kinds.size).toBe(5);
    expect(new Set(schedules.map(({ warmup_steps }) => warmup_steps > 0)).size).toBe(2);
  });
});

test('a run that is shorter than its warm-up ends in it', () => {
  const options = {
    lr_scheduler_type: 'cosine' as const,
    learning_rate: 1,
    warmup_steps: 10,
    max_steps: 5,
  };
  expect([0, 1, 4].map((step) => learningRate(options, step))).toEqual([0, 0.1, 0.4]);
});
