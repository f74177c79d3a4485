import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { PartialFile } from '../files/append.ts';
import type { TrainEvent } from '../train/events.ts';
import { PendingFile } from './pending-file.ts';
import { reportFolder, shortId } from './report-folder.ts';
import { grouped, scalarsOf } from './scalars.ts';
import { sampleName, type TrackedRun, type Tracker } from './tracker.ts';
import { WandbLog } from './wandb-log.ts';
import {
  encodeRecord,
  exitRecord,
  headerRecord,
  historyRecord,
  runRecord,
  stepMetricRecords,
  summaryRecord,
  type WandbRecord,
  type WandbValues,
} from './wandb-record.ts';

/** What W&B shows a run in, unless `wandb sync --project` names another one. */
const PROJECT = 'lorafa';

/** The oldest edition of W&B that reads such logs, as its own say. */
const MIN_CONSUMER = '0.70.0';

/** Over what all curves are drawn. */
const STEP = 'train/global_step';

/** What the process of a session would have ended with: W&B shows 255 as killed. */
const EXIT_CODES: Readonly<Partial<Record<TrainEvent['type'], number>>> = {
  completed: 0,
  stopped: 255,
  cancelled: 255,
  failed: 1,
};

/**
 * Transaction logs of Weights & Biases as of a run without a network, for `wandb sync`: one run, with a log for each
 * session. A log cannot take back what an earlier one said.
 */
export class WeightsAndBiases implements Tracker {
  readonly program = 'Weights & Biases';
  readonly #run: TrackedRun;
  readonly #start = Date.now();
  readonly #log = new WandbLog();
  #records = 0;
  #histories = 0;
  readonly #file = new PendingFile(() => this.#open());

  constructor(run: TrackedRun) {
    this.#run = run;
    const { id, name, config } = run;
    this.#note(headerRecord('lorafa', MIN_CONSUMER));
    const identity = { id: shortId(id), project: PROJECT, name, start: this.#start };
    this.#note(runRecord({ ...identity, config: { ...config } }));
    for (const record of stepMetricRecords(STEP)) this.#note(record);
  }

  note(event: TrainEvent, time: number): void {
    const scalars = scalarsOf(event);
    if (scalars !== undefined) this.#noteHistory(scalars.step, grouped(scalars), time);
    if (event.type === 'sample') {
      const name = sampleName(this.#run, event);
      this.#noteHistory(event.step, { [name]: event.text }, time);
    }
    const code = EXIT_CODES[event.type];
    if (code !== undefined) this.#note(exitRecord(code, Math.floor(this.#secondsAt(time))));
  }

  write(isDurable: boolean): Promise<void> {
    return this.#file.write(isDurable);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #noteHistory(step: number, measured: WandbValues, time: number): void {
    const number = this.#histories++;
    const values = {
      ...measured,
      [STEP]: step,
      _timestamp: time / 1000,
      _runtime: this.#secondsAt(time),
      _step: number,
    };
    this.#note(historyRecord(number, values));
    this.#note(summaryRecord(values));
  }

  #secondsAt(time: number): number {
    return Math.max(0, time - this.#start) / 1000;
  }

  #note(record: WandbRecord): void {
    this.#records += 1;
    this.#file.note(this.#log.record(encodeRecord(this.#records, record)));
  }

  /** The folder of each session has its second in its name. */
  async #open(): Promise<PartialFile> {
    const id = shortId(this.#run.id);
    const taken = new Set(await readdir(await reportFolder(this.#run, 'wandb')));
    let time = this.#start;
    while (taken.has(folderName(time, id))) time += 1000;
    const folder = await reportFolder(this.#run, 'wandb', folderName(time, id));
    return PartialFile.open(path.join(folder, `run-${id}.wandb`));
  }
}

function folderName(time: number, id: string): string {
  const [date, clock] = new Date(time).toISOString().replaceAll(/[-:]/g, '').split(/[T.]/);
  return `offline-run-${date}_${clock}-${id}`;
}
