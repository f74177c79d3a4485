import { describe, expect, test } from 'vitest';
import type { StepEvent, TrainEvent } from '../../../engine/train/events.ts';
import { jsonReport, textReport } from '../../../server/cli/train-report.ts';

const split = {
  rows: 1000,
  tokens: 50_000,
  supervisedTokens: 9_000,
  truncatedRows: 2,
  droppedRows: 1,
};

function started(resumedAt = 0): TrainEvent {
  return {
    type: 'started',
    run: {
      steps: 200,
      resumedAt,
      stepsPerEpoch: 67,
      trainableParameters: 2_000,
      totalParameters: 100_000,
      device: 'cpu',
      gradientCheckpointing: 'none',
      compute: 'bfloat16x2',
      computeTrials: [
        { mode: 'float32', error: 0, seconds: 0.8333 },
        { mode: 'int8', error: 0.31234 },
        { mode: 'bfloat16x2', error: 0.00034, seconds: 0.4 },
      ],
      padding: {
        packing: true,
        unpacked: { rows: 1000, paddingWaste: 0.25 },
        packed: { rows: 90, paddingWaste: 0.01 },
      },
      dataset: { train: split, eval: { ...split, rows: 100 } },
    },
  };
}

function step(at: number): StepEvent {
  return {
    type: 'step',
    step: at,
    maxSteps: 200,
    epoch: at / 67,
    loss: 2,
    grad_norm: 1,
    learning_rate: 1e-4,
    num_tokens: 100 * at,
    tokens_per_second: 100,
  };
}

const REST: readonly TrainEvent[] = [
  { type: 'eval', step: 2, epoch: 0.1, eval_loss: 0.5, eval_perplexity: 1.6487, eval_runtime: 3 },
  { type: 'checkpoint', step: 2, dir: '/out/checkpoint-2' },
  { type: 'warning', message: 'look here' },
  { type: 'completed', adapter_dir: '/out', steps: 200, train_loss: 1.5, train_runtime: 90 },
];

/** What a report prints of events, the clock going on by one second before each. */
function print(events: readonly TrainEvent[], columns?: number): string {
  let text = '';
  let seconds = 100;
  const report = textReport({
    write: (part) => {
      text += part;
    },
    columns,
    now: () => seconds,
  });
  for (const event of events) {
    seconds += 1;
    report(event);
  }
  return text;
}

describe('text', () => {
  test('without a terminal every event is a line', () => {
    const progress = [0, 1, 2].map(
      (done): TrainEvent => ({ type: 'progress', task: 'unpacking weights', done, total: 2 }),
    );
    expect(print([...progress, started(), step(1), step(2), ...REST]).split('\n')).toEqual([
      'unpacking weights: done',
      'device cpu, 2,000 of 100,000 parameters trained (2.00 %)',
      'training data: 1,000 rows, 50,000 tokens, 9,000 of them supervised; 2 rows truncated, 1 dropped',
      'held-out data: 100 rows, 50,000 tokens, 9,000 of them supervised; 2 rows truncated, 1 dropped',
      'padding: 1.0 % of 90 rows (25.0 % of 1,000 rows without data.packing)',
      'products with frozen weights in bfloat16x2, the fastest of those whose gradients are off by at most 0.1 %: float32 0.833 s a step; int8 off by 31 %; bfloat16x2 off by 0.034 % 0.400 s a step',
      '200 steps, 67 per epoch',
      'step 1/200  epoch 0.01  loss 2.0000  grad norm 1.00  lr 1.00e-4  100 tokens/s  ETA 3 min 19 s',
      'step 2/200  epoch 0.03  loss 2.0000  grad norm 1.00  lr 1.00e-4  100 tokens/s  ETA 3 min 18 s',
      'eval at step 2: loss 0.5000, perplexity 1.649 (3 s)',
      'checkpoint at step 2: /out/checkpoint-2',
      'warning: look here',
      'done: 200 steps in 1 min 30 s, mean loss 1.5000',
      'saved in /out',
      '',
    ]);
  });

  test('after a resume the steps done before do not count as speed', () => {
    const text = print([started(100), step(101)]);
    expect(text).toContain('200 steps, resumed at step 100');
    expect(text).toContain('ETA 1 min 39 s');
  });

  test('in a terminal one line is redrawn, and other lines clear it', () => {
    const text = print([started(), step(1), step(2), REST[1]!], 100);
    const [, bars] = text.split('67 per epoch\n');
    expect(bars?.split('\r\u001B[K')).toEqual([
      '',
      expect.stringMatching(/^ {2}0% .* 1\/200 {2}/),
      expect.stringMatching(/^ {2}1% .* 2\/200 {2}/),
      'checkpoint at step 2: /out/checkpoint-2\n',
    ]);
  });
});

test('counts that were inferred from the first rows are about so many', () => {
  const event = started();
  if (event.type !== 'started') throw new Error('not a start');
  const { dataset } = event.run;
  const train = { ...dataset.train, inferredFrom: 96 };
  const text = print([{ ...event, run: { ...event.run, dataset: { ...dataset, train } } }]);
  expect(text).toContain(
    'training data: streamed; by the first 96 rows, about 1,000 rows, about 50,000 tokens, about 9,000 of them supervised; about 2 rows truncated, about 1 dropped\n',
  );
  expect(text).toContain('\n200 steps, about 67 per epoch\n');
  expect(text).toContain('held-out data: 100 rows, 50,000 tokens');
});

test('a run that did not learn says so in its last lines', () => {
  const verdict = { kind: 'flat', message: 'Nothing changed.', advice: 'Raise the rate.' } as const;
  const text = print([{ type: 'verdict', step: 200, verdict }, REST.at(-1)!]);
  expect(text.split('\n').slice(-4)).toEqual([
    'saved in /out',
    'the run did not learn: Nothing changed.',
    'what to try: Raise the rate.',
    '',
  ]);
});

test('a stop says how to go on', () => {
  expect(print([{ type: 'stopped', step: 7, checkpoint_dir: '/out/checkpoint-7' }])).toBe(
    'stopped after step 7; go on with --set training.resume_from_checkpoint=latest\n',
  );
  expect(print([{ type: 'cancelled', step: 7, checkpoint_dir: null }])).toContain('no checkpoint');
});

test('JSON is one object per line, as it came', () => {
  let text = '';
  const report = jsonReport((part) => {
    text += part;
  });
  const events = [started(), step(1), ...REST];
  for (const event of events) report(event);
  const lines = text.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(events);
});
