import { expect, test } from 'vitest';
import { Reports } from '../../../engine/report/reports.ts';
import type { Tracker } from '../../../engine/report/tracker.ts';
import type { TrainEvent } from '../../../engine/train/events.ts';
import { completedEvent, startedEvent, stepEvent } from '../../support/journal-events.ts';

const CHECKPOINT: TrainEvent = { type: 'checkpoint', step: 3, dir: '/run/checkpoint-3' };

/** A tracker that keeps what it was told, and writes as a test wants it. */
class Notebook implements Tracker {
  readonly program = 'Notebook';
  readonly noted: string[] = [];
  readonly written: boolean[] = [];
  isClosed = false;
  readonly #onWrite: () => Promise<void>;

  constructor(onWrite: () => Promise<void> = () => Promise.resolve()) {
    this.#onWrite = onWrite;
  }

  note({ type }: TrainEvent): void {
    this.noted.push(type);
  }

  async write(isDurable: boolean): Promise<void> {
    this.written.push(isDurable);
    await this.#onWrite();
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

test('events are written together, and at a checkpoint all is on disk', async () => {
  const tracker = new Notebook();
  const reports = new Reports([tracker]);
  await reports.tell(startedEvent());
  for (let step = 1; step <= 50; step += 1) await reports.tell(stepEvent({ step }));
  expect(tracker.noted).toHaveLength(51);
  expect(tracker.written).toEqual([false]);
  await reports.tell(CHECKPOINT);
  expect(tracker.written).toEqual([false, true]);
  await reports.close();
  expect(tracker.isClosed).toBe(true);
});

test('what fails is told once, and does not keep others from going on', async () => {
  const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  const failing = new Notebook(() => Promise.reject(full));
  const other = new Notebook();
  const reports = new Reports([failing, other]);
  expect(await reports.tell(startedEvent())).toEqual([]);
  expect(await reports.tell(CHECKPOINT)).toEqual([
    'Cannot write to training.logging_dir: the disk is full; choose another training.logging_dir. The run goes on and is not reported to Notebook any more.',
  ]);
  expect(await reports.tell(stepEvent())).toEqual([]);
  expect(await reports.tell(completedEvent())).toEqual([]);
  expect(failing.noted).toEqual(['started', 'checkpoint']);
  expect(failing.written).toEqual([false]);
  expect(other.noted).toEqual(['started', 'checkpoint', 'step', 'completed']);
});

test('steps do not wait for a tracker, and a checkpoint not for ever', async () => {
  const stuck = new Notebook(() => new Promise(() => undefined));
  const reports = new Reports([stuck], 20);
  expect(await reports.tell(stepEvent())).toEqual([]);
  expect(await reports.tell(stepEvent())).toEqual([]);
  expect(await reports.tell(CHECKPOINT)).toEqual([
    'Writing for Notebook takes too long. The run goes on and is not reported to Notebook any more.',
  ]);
  await reports.tell(completedEvent());
  expect(stuck.noted).toHaveLength(3);
});
