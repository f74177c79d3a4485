import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseConfig } from '../../../engine/config/parse.ts';
import type { ConfigInput, ResolvedConfig } from '../../../engine/config/schema.ts';
import type { TrainEvent } from '../../../engine/train/events.ts';
import { type TrainOptions, type TrainResult, train } from '../../../engine/train/train.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';

/** Some keys of every section; undefined leaves one out that runs have otherwise. */
export type ConfigChanges = {
  readonly [S in keyof ConfigInput]?: {
    readonly [K in keyof NonNullable<ConfigInput[S]>]?: NonNullable<ConfigInput[S]>[K] | undefined;
  };
};

/** A folder with a tiny model and data, for runs of a few steps. */
export class TinyRuns {
  readonly folder: string;
  readonly model: string;
  readonly data: string;
  #count = 0;

  private constructor(folder: string) {
    this.folder = folder;
    this.model = path.join(folder, 'model');
    this.data = path.join(folder, 'rows.jsonl');
  }

  static async create(folder: string): Promise<TinyRuns> {
    const runs = new TinyRuns(folder);
    await writeTinyModel(runs.model);
    await writeFile(runs.data, ROWS.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return runs;
  }

  /** A path in the folder that nothing has yet. */
  fresh(name = 'run'): string {
    return path.join(this.folder, `${name}-${this.#count++}`);
  }

  /** Writes a data file. */
  async file(name: string, content: string | Uint8Array): Promise<string> {
    const file = path.join(this.folder, name);
    await writeFile(file, content);
    return file;
  }

  /** A configuration as the command line reads it; its output folder is new unless it is given. */
  config(changes: ConfigChanges = {}): ResolvedConfig {
    return parseConfig(this.configText(changes), path.join(this.folder, 'run.lorafa.json'));
  }

  /** The same as a person would write it, without what is default anyway. */
  configText(changes: ConfigChanges = {}): string {
    const method = changes.training?.method;
    return JSON.stringify({
      model: { base_model_name_or_path: this.model },
      data: {
        dataset_name_or_path: this.data,
        max_length: 64,
        pad_to_multiple_of: 16,
        ...changes.data,
      },
      lora:
        method === 'full' || changes.lora?.init_adapter !== undefined
          ? { ...changes.lora }
          : { r: 2, lora_alpha: 4, target_modules: ['q_proj', 'down_proj'], ...changes.lora },
      training: {
        output_dir: this.fresh(),
        max_steps: 2,
        learning_rate: 1e-2,
        lr_scheduler_type: 'constant',
        ...changes.training,
      },
      engine: { device: 'cpu', intra_op_num_threads: 1, ...changes.engine },
      ...(changes.accelerate && { accelerate: changes.accelerate }),
      ...(changes.model && { model: { base_model_name_or_path: this.model, ...changes.model } }),
    });
  }
}

/** Questions and answers of unequal length. */
const ROWS = [
  ['2+2?', '4'],
  ['Name a colour.', 'Blue'],
  ['And the capital of France?', 'Paris'],
  ['Hi', 'Hello there'],
  ['5*5?', '25'],
  ['Up?', 'Down'],
  ['The first three letters?', 'abc'],
].map(([question, answer]) => ({ question, answer }));

/** What a run did. */
export interface FinishedRun {
  readonly result: TrainResult;
  readonly events: readonly TrainEvent[];
}

export type EventOf<T extends TrainEvent['type']> = Extract<TrainEvent, { readonly type: T }>;

export async function run(
  config: ResolvedConfig,
  options: Partial<TrainOptions> = {},
): Promise<FinishedRun> {
  const events: TrainEvent[] = [];
  const result = await train(config, {
    ...options,
    onEvent: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  return { result, events };
}

export function ofType<T extends TrainEvent['type']>(
  { events }: Pick<FinishedRun, 'events'>,
  type: T,
): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type);
}

/** Events without what no two runs have in common: times, speeds and places. */
export function comparable({ events }: Pick<FinishedRun, 'events'>): unknown[] {
  return events
    .filter(({ type }) => type !== 'progress')
    .map((event) => ({
      ...event,
      tokens_per_second: 0,
      eval_runtime: 0,
      train_runtime: 0,
      dir: '',
      adapter_dir: '',
      checkpoint_dir: '',
    }));
}

/** A file of a run folder. */
export function bytesOf(config: ResolvedConfig, ...parts: string[]): Promise<Buffer> {
  return readFile(path.join(config.training.output_dir, ...parts));
}
