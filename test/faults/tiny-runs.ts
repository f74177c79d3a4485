import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type ConfigChanges, TinyRuns } from '../engine/train/tiny-run.ts';
import { BuiltCli } from '../support/built-cli.ts';
import { endProcesses, markedEnvironment } from '../support/marked-processes.ts';

/** Small runs with evaluations, checkpoints and their limit. */
const TRAINING: ConfigChanges['training'] = {
  per_device_train_batch_size: 2,
  max_steps: 12,
  save_steps: 3,
  eval_steps: 4,
};

/** The runs that are tried. */
export const VARIANTS = ['lora-fa', 'dropout', 'nf4', 'full'] as const;

/** One of the {@link VARIANTS}. */
export type Variant = (typeof VARIANTS)[number];

/** What makes them different. */
const CHANGES: { readonly [V in Variant]: ConfigChanges } = {
  'lora-fa': { training: { sample_prompts: ['Hi'] } },
  dropout: { lora: { lora_dropout: 0.1 }, data: { packing: true } },
  // Its weights are made into the cache folder first.
  nf4: { model: { quantization: 'nf4' } },
  full: { training: { method: 'full', learning_rate: 1e-3 } },
};

/** A run before it is started. */
export interface TinyRun {
  readonly configFile: string;
  readonly folder: string;
}

/**
 * The programs as users run them, a tiny model, and folders of their own for all that runs may leave
 * behind: what is left can be told apart from what others do on the machine.
 */
export class TinyBench {
  /** All of it; also the mark of its processes. */
  readonly folder: string;
  /** The folder that an editor would open; runs and configurations are in it. */
  readonly workspace: string;
  /** Sockets and other passing things. */
  readonly temporary: string;
  /** Weights that are made once. */
  readonly cache: string;
  /** To be added to the environment of every process. */
  readonly env: Readonly<Record<string, string>>;
  readonly built: BuiltCli;
  readonly #tiny: TinyRuns;
  #count = 0;

  private constructor(built: BuiltCli, tiny: TinyRuns) {
    this.built = built;
    this.#tiny = tiny;
    this.folder = built.folder;
    this.workspace = path.join(built.folder, 'work');
    this.temporary = path.join(built.folder, 'tmp');
    this.cache = path.join(built.folder, 'cache');
    this.env = {
      ...markedEnvironment(built.folder),
      TMPDIR: this.temporary,
      LORAFA_CACHE_DIR: this.cache,
    };
  }

  static async create(): Promise<TinyBench> {
    const built = await BuiltCli.build();
    const bench = new TinyBench(built, await TinyRuns.create(built.folder));
    for (const folder of [bench.workspace, bench.temporary]) await mkdir(folder);
    return bench;
  }

  /** Folder of the bundled programs. */
  get programs(): string {
    return path.join(this.folder, 'out');
  }

  /** Folder of the base model. */
  get model(): string {
    return this.#tiny.model;
  }

  /** Where the runs of this user are registered. */
  get registry(): string {
    return path.join(markedEnvironment(this.folder).XDG_STATE_HOME, 'lorafa', 'runs');
  }

  /** Writes the configuration of a run into a new folder. */
  async run(variant: Variant, training: ConfigChanges['training'] = {}): Promise<TinyRun> {
    const changes = CHANGES[variant];
    const folder = path.join(this.workspace, `${variant}-${this.#count++}`);
    const config = this.#tiny.configText({
      ...changes,
      data: { eval_split: 2, ...changes.data },
      training: { ...TRAINING, ...changes.training, ...training, output_dir: folder },
    });
    const configFile = `${folder}.lorafa.json`;
    await writeFile(configFile, config);
    return { configFile, folder };
  }

  /**
   * Removes a run and all that was left behind, so that nothing of it is found again.
   *
   * @param spared ids of processes that go on
   */
  async forget({ configFile, folder }: TinyRun, spared: readonly number[] = []): Promise<void> {
    await endProcesses(this.folder, spared);
    // The server watches the registry, so that the folder itself stays.
    const registered = await readdir(this.registry).catch(() => []);
    const files = registered.map((name) => path.join(this.registry, name));
    for (const gone of [configFile, folder, this.cache, this.temporary, ...files]) {
      await rm(gone, { recursive: true, force: true });
    }
    await mkdir(this.temporary);
  }

  /**
   * Makes what is in the cache folder and in the registry a day older: a file that was begun there is
   * taken for abandoned only after a while, since its maker may be out of sight.
   */
  async age(): Promise<void> {
    const yesterday = new Date(Date.now() - 86_400_000);
    for (const folder of [this.cache, this.registry]) {
      for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
        await utimes(path.join(folder, name), yesterday, yesterday).catch(() => undefined);
      }
    }
  }

  /** Ends what still runs, and removes everything. */
  async remove(): Promise<void> {
    await endProcesses(this.folder);
    await this.built.remove();
  }
}
