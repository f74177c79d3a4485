import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { TrainEvent } from '../../../engine/train/events.ts';
import {
  type Learning,
  learningAfter,
  learningSchema,
  NO_LEARNING,
} from '../../../engine/train/learning.ts';
import { judgeLearning, type VerdictSettings } from '../../../engine/train/verdict.ts';

/**
 * Journals of real runs of the demo's model, one a line: `[step, loss, epoch, rate]` for each report,
 * `[step, loss]` for each evaluation.
 */
interface Journal extends VerdictSettings {
  readonly name: string;
  readonly events: readonly (readonly [number, number, number?, number?])[];
}

const JOURNALS = readFileSync(new URL('journals.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Journal);

const SANE: VerdictSettings = { method: 'lorafa', learning_rate: 3e-4 };

function evaluation(step: number, loss: number): TrainEvent {
  const eval_perplexity = Math.exp(loss);
  return { type: 'eval', step, epoch: 0, eval_loss: loss, eval_perplexity, eval_runtime: 1 };
}

function step(at: number, loss: number, epoch = at / 10, learning_rate = 3e-4): TrainEvent {
  return {
    ...{ type: 'step', step: at, maxSteps: 1_000, epoch, loss, learning_rate },
    ...{ grad_norm: 1, num_tokens: 1, tokens_per_second: 1 },
  };
}

function courseOf(events: readonly TrainEvent[]): Learning {
  return events.reduce(learningAfter, NO_LEARNING);
}

function judge(events: readonly TrainEvent[], settings = SANE, isOver = true) {
  return judgeLearning(courseOf(events), settings, isOver);
}

/** Losses of steps, one report each, ten an epoch. */
function steps(...losses: readonly number[]): TrainEvent[] {
  return losses.map((loss, index) => step(index + 1, loss));
}

const falling = Array.from({ length: 30 }, (_, index) => 3 - index / 15);

describe('real runs', () => {
  const inVain: Readonly<Record<string, readonly [string, RegExp]>> = {
    rate50: ['exploded', /jumped .* times .* and is still/],
    'rate50-noeval': ['exploded', /jumped/],
    'rate50-20': ['exploded', /jumped/],
    'rate1e-8': ['flat', /no better than before training: 7\.944, then 7\.943 at best/],
    'rate1e-8-noeval': ['flat', /did not fall: 7\.91\d in epoch 1, 7\.91\d in epoch 3/],
    // Its only step is that of a warm-up.
    one: ['flat', /learning rate was 0 in its only step/],
  };

  test.each(JOURNALS.map((journal) => [journal.name, journal] as const))('%s', (name, journal) => {
    const events = journal.events.map(([at, loss, epoch, rate]) =>
      epoch === undefined ? evaluation(at, loss) : step(at, loss, epoch, rate),
    );
    const verdict = judge(events, journal);
    const expected = inVain[name];
    expect(verdict?.kind).toBe(expected?.[0]);
    if (expected !== undefined) expect(verdict!.message).toMatch(expected[1]);
    // A run that learns is not suspected while it goes on either.
    if (expected === undefined) {
      for (let end = 1; end < events.length; end += 1) {
        expect(judge(events.slice(0, end), journal, false)).toBeNull();
      }
    }
  });

  test('there are those that learn, in many ways', () => {
    expect(JOURNALS.length - Object.keys(inVain).length).toBeGreaterThanOrEqual(12);
  });
});

describe('a verdict', () => {
  test('an evaluation that rises, or is no number, is told while the run goes on', () => {
    const risen = [evaluation(0, 2), ...steps(2, 2.5), evaluation(2, 2.6)];
    expect(judge(risen, { method: 'lora', learning_rate: 0.5 }, false)).toEqual({
      kind: 'exploded',
      message: 'The evaluation loss rose from 2.000 before training to 2.600 at step 2.',
      advice: 'Lower training.learning_rate: it is 0.5, and 2e-4 is usual for lora.',
    });
    const broken = judge([evaluation(0, 2), evaluation(5, Number.NaN)], SANE, false);
    expect(broken?.message).toContain('step 5 gave no number');
    expect(broken?.advice).toContain('to a tenth');
  });

  test('what was better before is told at the end, with where that was', () => {
    const events = [evaluation(0, 2), ...steps(...falling), evaluation(20, 1), evaluation(30, 2.2)];
    expect(judge(events, SANE, false)).toBeNull();
    const verdict = judge(events);
    expect(verdict?.kind).toBe('overfitted');
    expect(verdict?.message).toContain('best at step 20 (1.000) and ended at 2.200');
    expect(verdict?.advice).toContain('near step 20');
  });

  test('a training loss that falls alone means learned by heart', () => {
    const events = [evaluation(0, 2), ...steps(...falling), evaluation(30, 2)];
    expect(judge(events)?.kind).toBe('memorized');
  });

  test('a loss that rises many times is told without an evaluation, one that is uneven is not', () => {
    expect(judge(steps(1, ...Array<number>(20).fill(4)), SANE, false)?.kind).toBe('exploded');
    const uneven = [0.2, 2.4, 0.3, 1.9, 2.2, 0.1, 2.8, 0.4, 1.8, 2.1].flatMap((loss) => [loss, 1]);
    expect(judge(steps(...uneven), SANE, false)).toBeNull();
    expect(judge(steps(0.2, 2.4))).toBeNull();
  });

  test('with too few steps there is none', () => {
    expect(judge([])).toBeNull();
    expect(judge([evaluation(0, 2), ...steps(2, 2), evaluation(2, 2)])).toBeNull();
  });

  test('a good evaluation that follows takes it back', () => {
    const risen = [evaluation(0, 2), evaluation(2, 2.6)];
    expect(judge([...risen, evaluation(4, 1.5)], SANE, false)).toBeNull();
  });
});

test('what is kept of a course stays small, and can be kept in a checkpoint', () => {
  const long = courseOf(steps(...Array.from({ length: 1_000 }, (_, index) => 1 / (1 + index))));
  expect(JSON.stringify(long).length).toBeLessThan(2_000);
  expect(learningSchema.parse(JSON.parse(JSON.stringify(long)))).toEqual(long);
});
