import { randomUUID } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { withConfigFile } from '../accelerate/config-file.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { parseDataPath } from '../data/data-path.ts';
import { LorafaError } from '../errors.ts';
import { removeFolder } from '../files/remove.ts';
import { median } from '../median.ts';
import type { ProgressEvent } from '../plan/plan-reports.ts';
import { TrainControl } from './control.ts';
import type { TrainEvent } from './events.ts';
import { train } from './train.ts';

/** How fast a run trains on this machine. */
export interface MeasuredSpeed {
  /** Without padding; the median of the steps. */
  readonly tokensPerSecond: number;
  /** Optimizer steps that were timed. */
  readonly steps: number;
}

/** Steps that are made: the first prepares sessions, and is left out where there are others. */
const STEPS = 9;
/** Seconds after which no further step is begun. */
const ENOUGH_SECONDS = 30;

/**
 * Times a few real steps of a run, on its first rows and in a folder that is gone afterwards.
 *
 * @param control ends it early, after the present step
 * @throws LorafaError as `train`, `config.contradiction` for a run on several machines, and `training.cancelled` where
 * no step was timed
 */
export async function measureSpeed(
  given: ResolvedConfig,
  onEvent: (event: ProgressEvent) => void = () => undefined,
  control = new TrainControl(),
): Promise<MeasuredSpeed> {
  const config = await withConfigFile(given);
  refuseSeveral(config);
  const folder = path.join(os.tmpdir(), `lorafa-measure-${randomUUID()}`);
  const rates: number[] = [];
  let began = 0;
  const follow = (event: TrainEvent): void => {
    if (event.type === 'progress') onEvent(event);
    if (event.type === 'started') began = performance.now();
    if (event.type !== 'step') return;
    rates.push(event.tokens_per_second);
    onEvent({ type: 'progress', task: 'timing steps', done: rates.length, total: STEPS });
    const seconds = (performance.now() - began) / 1000;
    if (rates.length === STEPS || seconds > ENOUGH_SECONDS) control.stop('cancel');
  };
  try {
    await train(shortRun(config, folder), { control, onEvent: follow });
  } finally {
    await removeFolder(folder);
  }
  if (rates.length === 0) {
    throw new LorafaError('training.cancelled', 'The measurement was ended before its first step.');
  }
  const timed = rates.length > 1 ? rates.slice(1) : rates;
  return { tokensPerSecond: median(timed), steps: timed.length };
}

/** The others would have to be started for this, and nobody has. */
function refuseSeveral({ accelerate: { num_machines: machines } }: ResolvedConfig): void {
  if (machines === 1) return;
  throw new LorafaError(
    'config.contradiction',
    `Steps are timed on this machine alone, and accelerate.num_machines is ${machines}; start the run on all of them by lorafa train, which tells how fast it is.`,
  );
}

/** The run with nothing but a few steps: one more than are made, so that it never has an end to save. */
function shortRun({ data, training, ...config }: ResolvedConfig, output: string): ResolvedConfig {
  const { eval_split: _, eval_dataset_name_or_path: __, ...trainData } = data;
  const { sample_prompts: ___, resume_from_checkpoint: ____, ...steps } = training;
  const rows = steps.per_device_train_batch_size * steps.gradient_accumulation_steps * STEPS;
  const first = (names: string | string[]): string[] =>
    [names].flat().map((name) => firstRows(name, rows));
  return {
    ...config,
    data: {
      ...trainData,
      dataset_name_or_path: first(data.dataset_name_or_path),
      ...(data.mix !== undefined && {
        mix: data.mix.map((set) => ({
          ...set,
          dataset_name_or_path: first(set.dataset_name_or_path),
        })),
      }),
    },
    training: {
      ...steps,
      output_dir: output,
      max_steps: STEPS + 1,
      logging_steps: 1,
      save_steps: STEPS + 1,
    },
  };
}

function firstRows(name: string, rows: number): string {
  const { file, start, end } = parseDataPath(name);
  return `${file}[${start}:${Math.min(end, start + rows)}]`;
}
