import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { readBoundedFile } from '../bounded-file.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { createFile } from '../files/create-file.ts';
import { removeFolder } from '../files/remove.ts';
import { parseJson } from '../json.ts';
import { isJsonObject } from '../json-file.ts';
import { reportFolder } from './report-folder.ts';
import type { TrackedRun } from './tracker.ts';

/**
 * Runs in MLflow's file store (`mlflow/store/tracking/file_store.py`): the folder `mlruns` holds a folder for
 * each experiment, and that one for each run.
 */

/** The experiment that every store has from its beginning. */
const EXPERIMENT = '0';

/** `RunStatus` of MLflow. */
export const MLFLOW_STATUS = { running: 1, finished: 3, failed: 4, killed: 5 } as const;

/** Of a run that has not ended, and of one that has. */
export interface MLflowState {
  readonly status: number;
  /** Milliseconds since 1970. */
  readonly end?: number;
}

/** MLflow keeps no longer parameter (`MAX_PARAM_VAL_LENGTH`). */
const MAX_PARAM_LENGTH = 6000;

/** More than the values of a million steps take. */
const MAX_BYTES = 2 ** 27;

/** The folder of one run in a store. */
export class MLflowRun {
  readonly #run: TrackedRun;
  readonly folder: string;
  readonly #start: number;

  private constructor(run: TrackedRun, folder: string, start: number) {
    this.#run = run;
    this.folder = folder;
    this.#start = start;
  }

  /**
   * Makes the run, or opens what earlier sessions left of it. What they reported of steps that this
   * session tells of goes.
   *
   * @param start when the run began, if this is its beginning: milliseconds since 1970
   * @param metrics names of all that may be reported
   * @throws LorafaError `output.not_writable`; Node's own error for what cannot be read
   */
  static async open(
    run: TrackedRun,
    start: number,
    metrics: readonly string[],
  ): Promise<MLflowRun> {
    const experiment = await reportFolder(run, 'mlruns', EXPERIMENT);
    await createFile(path.join(experiment, 'meta.yaml'), experimentMeta(experiment, start));
    const folder = await reportFolder(run, 'mlruns', EXPERIMENT, run.id);
    await removeFolder(path.join(folder, 'params'));
    for (const name of ['metrics', 'params', 'tags', 'artifacts']) {
      await reportFolder(run, 'mlruns', EXPERIMENT, run.id, name);
    }
    const began = /^start_time: (\d+)$/m.exec(await readText(path.join(folder, 'meta.yaml')))?.[1];
    const opened = new MLflowRun(run, folder, began === undefined ? start : Number(began));
    await opened.writeState({ status: MLFLOW_STATUS.running });
    await opened.#writeConfig();
    for (const name of metrics) await opened.#rewind(path.join('metrics', name), stepOfMetric);
    await opened.#rewind(SAMPLES_FILE, stepOfSample);
    return opened;
  }

  async writeState({ status, end }: MLflowState): Promise<void> {
    const { id, name } = this.#run;
    await this.#write(
      'meta.yaml',
      yaml({
        artifact_uri: pathToFileURL(path.join(this.folder, 'artifacts')).href,
        end_time: end ?? null,
        entry_point_name: '',
        experiment_id: EXPERIMENT,
        lifecycle_stage: 'active',
        run_id: id,
        run_name: name,
        source_name: 'lorafa',
        // A program that is none of MLflow's own projects: LOCAL.
        source_type: 4,
        source_version: '',
        start_time: this.#start,
        status,
        tags: [],
        user_id: '',
      }),
    );
  }

  /** What cannot be changed in MLflow is that of the latest session here. */
  async #writeConfig(): Promise<void> {
    const { config, name } = this.#run;
    await this.#write(path.join('tags', 'mlflow.runName'), name);
    await this.#write(path.join('tags', 'mlflow.source.name'), 'lorafa');
    await this.#write(
      path.join('artifacts', 'configuration.json'),
      JSON.stringify(config, null, 2),
    );
    for (const [section, keys] of Object.entries(config)) {
      for (const [key, value] of Object.entries(keys)) {
        if (value === undefined) continue;
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        const file = path.join('params', `${section}.${key}`);
        await this.#write(file, text.slice(0, MAX_PARAM_LENGTH));
      }
    }
  }

  /** Takes out of a file what is of later steps, or was cut off when a process ended. */
  async #rewind(name: string, stepOf: (line: string) => number | undefined): Promise<void> {
    const file = path.join(this.folder, name);
    const text = await readText(file);
    const lines = text.split('\n').filter((line) => line !== '');
    const kept = lines.filter((line) => (stepOf(line) ?? Infinity) < this.#run.firstStep);
    if (kept.length === lines.length) return;
    // MLflow refuses an empty file.
    if (kept.length === 0) await removeFolder(file);
    else await this.#write(name, kept.map((line) => `${line}\n`).join(''));
  }

  async #write(name: string, text: string): Promise<void> {
    await writeFileAtomic(path.join(this.folder, name), text);
  }
}

/** A line of the file of a metric. @param time milliseconds since 1970 */
export function metricLine(time: number, value: number, step: number): string {
  return `${time} ${value} ${step}`;
}

/** The file of the answers to sample prompts, one a line, from the folder of the run. */
export const SAMPLES_FILE = path.join('artifacts', 'samples.jsonl');

function stepOfMetric(line: string): number | undefined {
  const step = /^\d+ \S+ (\d+)$/.exec(line)?.[1];
  return step === undefined ? undefined : Number(step);
}

function stepOfSample(line: string): number | undefined {
  try {
    const sample = parseJson(line);
    return isJsonObject(sample) ? Number(sample['step']) : undefined;
  } catch {
    return undefined;
  }
}

function experimentMeta(folder: string, time: number): string {
  return yaml({
    artifact_location: pathToFileURL(folder).href,
    creation_time: time,
    experiment_id: EXPERIMENT,
    last_update_time: time,
    lifecycle_stage: 'active',
    name: 'Default',
  });
}

/** Values as JSON are YAML, too. */
function yaml(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');
}

/** The content of a file; nothing where there is none. */
async function readText(file: string): Promise<string> {
  try {
    return String(await readBoundedFile(file, MAX_BYTES, 'refuse'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
