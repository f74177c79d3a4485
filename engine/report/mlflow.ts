import path from 'node:path';
import { Journal } from '../files/append.ts';
import type { TrainEvent } from '../train/events.ts';
import {
  MLFLOW_STATUS,
  MLflowRun,
  type MLflowState,
  metricLine,
  SAMPLES_FILE,
} from './mlflow-store.ts';
import { EVAL_SCALARS, RUN_SCALARS, STEP_SCALARS, scalarsOf } from './scalars.ts';
import type { TrackedRun, Tracker } from './tracker.ts';

/** What the end of a session is to MLflow. */
const STATUS_AFTER: Readonly<Partial<Record<TrainEvent['type'], number>>> = {
  completed: MLFLOW_STATUS.finished,
  stopped: MLFLOW_STATUS.killed,
  cancelled: MLFLOW_STATUS.killed,
  failed: MLFLOW_STATUS.failed,
};

const METRICS = [...STEP_SCALARS, ...EVAL_SCALARS, ...RUN_SCALARS];

/** A run in MLflow's file store, the same one in all its sessions. */
export class MLflow implements Tracker {
  readonly program = 'MLflow';
  readonly #run: TrackedRun;
  readonly #start = Date.now();
  /** Lines that are to be appended, by files. */
  #noted = new Map<string, string[]>();
  #state: MLflowState | undefined;
  #opened: MLflowRun | undefined;
  readonly #journals = new Map<string, Journal>();

  constructor(run: TrackedRun) {
    this.#run = run;
  }

  note(event: TrainEvent, time: number): void {
    const scalars = scalarsOf(event);
    for (const [name, value] of Object.entries(scalars?.values ?? {})) {
      this.#note(path.join('metrics', name), metricLine(time, value, scalars!.step));
    }
    if (event.type === 'sample') {
      const { step, prompt, text } = event;
      this.#note(SAMPLES_FILE, JSON.stringify({ step, prompt, text }));
    }
    const status = STATUS_AFTER[event.type];
    if (status !== undefined) this.#state = { status, end: time };
  }

  async write(isDurable: boolean): Promise<void> {
    this.#opened ??= await MLflowRun.open(this.#run, this.#start, METRICS);
    const noted = this.#noted;
    this.#noted = new Map();
    for (const [name, lines] of noted) {
      const journal = await this.#journal(path.join(this.#opened.folder, name));
      await journal.append(lines.join('\n'));
      if (isDurable) await journal.sync();
    }
    if (this.#state !== undefined) await this.#opened.writeState(this.#state);
  }

  async close(): Promise<void> {
    for (const journal of this.#journals.values()) await journal.close();
  }

  #note(file: string, line: string): void {
    const lines = this.#noted.get(file) ?? [];
    lines.push(line);
    this.#noted.set(file, lines);
  }

  async #journal(file: string): Promise<Journal> {
    const journal = this.#journals.get(file) ?? (await Journal.open(file));
    this.#journals.set(file, journal);
    return journal;
  }
}
