import path from 'node:path';
import { onTestFinished } from 'vitest';
import { readConfig } from '../../../engine/config/parse.ts';
import type { StepEvent } from '../../../engine/train/events.ts';
import { RunFolder } from '../../../engine/train/run-folder.ts';
import { startedEvent, stepEvent } from '../../support/journal-events.ts';
import type { DemoRun } from './demo-runs.ts';

/**
 * A run of which this process tells, as the command line does of one that it computes: it holds the lock of the
 * folder and writes the journal, through the engine. What no machine here has, a GPU, such a run can say to compute on.
 */
export class LiveRun {
  readonly #folder: RunFolder;
  readonly #steps: number;
  #step = 0;

  private constructor(folder: RunFolder, steps: number) {
    this.#folder = folder;
    this.#steps = steps;
  }

  /** Begins the run of one of the configurations of a folder. */
  static async begin(
    folder: string,
    { name, maxSteps: steps }: DemoRun,
    device: string,
  ): Promise<LiveRun> {
    const config = await readConfig(path.join(folder, `${name}.lorafa.json`));
    const record = { config, lineage: [{ session: 'first', from: 0 }] };
    const opened = await RunFolder.open(record, { isLocked: false, way: undefined });
    onTestFinished(() => opened.close());
    await opened.record(startedEvent({ steps, device, compute: 'bfloat16' }));
    return new LiveRun(opened, steps);
  }

  /** Tells of the next step. */
  async step(change: Partial<StepEvent> = {}): Promise<void> {
    this.#step += 1;
    const step = this.#step;
    const loss = 0.4 + 2 / (1 + step / 8);
    await this.#folder.record(stepEvent({ step, maxSteps: this.#steps, loss, ...change }));
  }
}
