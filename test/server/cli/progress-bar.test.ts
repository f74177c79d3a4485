import { describe, expect, test } from 'vitest';
import type { StepEvent } from '../../../engine/train/events.ts';
import {
  renderProgressBar,
  renderStepLine,
  renderTaskBar,
  secondsLeft,
} from '../../../server/cli/progress-bar.ts';
import { formatCount, formatDuration, formatPerplexity } from '../../../server/format.ts';

const STEP: StepEvent = {
  type: 'step',
  step: 50,
  maxSteps: 200,
  epoch: 0.75,
  loss: 1.23456,
  grad_norm: 0.51234,
  learning_rate: 0.00029,
  num_tokens: 51_200,
  tokens_per_second: 1234.5,
};

describe('progress bar', () => {
  test('shows share, loss, speed and time left', () => {
    expect(renderProgressBar(STEP, 725, 120)).toBe(
      ` 25% ▕████████${' '.repeat(22)}▏ 50/200  epoch 0.75  loss 1.2346  1,235 tokens/s  ETA 12 min 05 s`,
    );
  });

  test('has no ETA before the first step of a session', () => {
    expect(renderProgressBar(STEP, undefined, 120)).not.toContain('ETA');
  });

  test('never fills the last column, whatever the width', () => {
    for (let columns = 0; columns < 200; columns++) {
      expect(renderProgressBar(STEP, 725, columns).length).toBeLessThanOrEqual(
        Math.max(0, columns - 1),
      );
    }
  });

  test('stays between empty and full', () => {
    expect(renderTaskBar(-1, '', 50)).toMatch(/^ {2}0% ▕ +▏ $/);
    expect(renderTaskBar(7, '', 50)).toMatch(/^100% ▕█+▏ $/);
    expect(renderTaskBar(0.999, '', 50)).toMatch(/^ 99%/);
  });
});

test('a line for logs', () => {
  expect(renderStepLine(STEP, 65)).toBe(
    'step 50/200  epoch 0.75  loss 1.2346  grad norm 0.512  lr 2.90e-4  1,235 tokens/s  ETA 1 min 05 s',
  );
});

test('time left comes from the rate of this session only', () => {
  expect(secondsLeft({ steps: 10, seconds: 5, stepsLeft: 100 })).toBe(50);
  expect(secondsLeft({ steps: 0, seconds: 5, stepsLeft: 100 })).toBeUndefined();
});

test.each([
  [0.2, '0 s'],
  [59.4, '59 s'],
  [59.6, '1 min 00 s'],
  [3_725, '1 h 02 min'],
  [100_000, '1 d 03 h'],
  [-5, '0 s'],
])('duration %d', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test('counts, and perplexities whatever their size', () => {
  expect(formatCount(1_234_567.4)).toBe('1,234,567');
  expect([1.64872, 123.456, 12_345.6, 1e9].map(formatPerplexity)).toEqual([
    '1.649',
    '123.5',
    '12,346',
    '1.00e+9',
  ]);
});
