import { type FSWatcher, watch } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CancellationToken } from 'vscode-jsonrpc';
import { readConfig } from '../../engine/config/parse.ts';
import { isHubInput } from '../../engine/config/resolve-paths.ts';
import type { ResolvedConfig } from '../../engine/config/schema.ts';
import { LorafaError, messageOf } from '../../engine/errors.ts';
import { ensureFolder } from '../../engine/files/folders.ts';
import { whereItIsNow } from '../../engine/train/moved-run.ts';
import { RECORD_FILE, readRunRecord } from '../../engine/train/run-record.ts';
import { runCli } from '../cli-process.ts';
import { mapBounded } from '../map-bounded.ts';
import type { RunNotesChange } from '../protocol/run-notes-schema.ts';
import type { RunConfig, RunFootprint, RunSummary } from '../protocol/runs.ts';
import type { RunRegistry } from '../trainer/run-registry.ts';
import type { RunStatus } from '../trainer/run-status.ts';
import type { WhenBusy } from '../trainer/trainer-job.ts';
import type { RunAction } from '../trainer/trainer-protocol.ts';
import { type DeletedRun, deleteRun, deletionOf } from './delete-run.ts';
import { type AskPython, pythonVariables } from './editor-python.ts';
import { findRunFolders } from './find-run-folders.ts';
import { goneRun } from './gone-run.ts';
import { inOwnFolder } from './own-folder.ts';
import { ownPython } from './own-python.ts';
import { renameRun } from './rename-run.ts';
import { changeNotes } from './run-notes.ts';
import { unknownRun } from './run-summary.ts';
import type { RunFollower } from './run-watcher.ts';
import { startTrainer } from './start-trainer.ts';
import { type RunListener, TrackedRun } from './tracked-run.ts';

/** How long a trainer may take to answer: it never computes itself. */
const ANSWER_TIMEOUT_MS = 15_000;

/** How long a list waits for one run: a folder may hold more than can be read. */
const LIST_PATIENCE_MS = 5000;

/** What a manager works with. */
export interface RunManagerOptions extends RunListener {
  readonly workspaceFolders: readonly string[];
  readonly registry: RunRegistry;
  /** The built `trainer/main.ts`. */
  readonly trainerScript: string;
  /** The built `cli/main.ts`. */
  readonly cliScript: string;
  readonly askPython: AskPython;
  readonly answerTimeoutMs?: number;
}

/**
 * The runs of one window. It keeps nothing that is not in the run folders, so that it can end at
 * any time and any number of managers can watch the same run.
 */
export class RunManager {
  readonly #options: RunManagerOptions;
  readonly #runs = new Map<string, TrackedRun>();
  #registryWatch: FSWatcher | undefined;

  constructor(options: RunManagerOptions) {
    this.#options = options;
  }

  /** All runs of the workspace, the live ones first, then the latest first. */
  async list(): Promise<readonly RunSummary[]> {
    const { workspaceFolders, registry } = this.#options;
    await this.#watchRegistry();
    const folders = await findRunFolders(workspaceFolders, registry);
    const listed = new Set(folders);
    // Those that nothing leads to any more: they tell themselves that they are gone.
    await mapBounded([...this.#runs.values()], async (run) => {
      if (!listed.has(run.folder)) await run.look().catch(() => undefined);
    });
    const found = await mapBounded(folders, (folder) => this.look(folder));
    return found
      .filter((summary) => summary !== undefined)
      .toSorted(
        (a, b) =>
          Number(b.isLive) - Number(a.isLive) || b.status.since.localeCompare(a.status.since),
      );
  }

  /**
   * Looks whether a run is still there, and at what has changed of it. One that takes long is told of by
   * `onChanged` when it was read, and one of which something is wrong is shown with that.
   *
   * @returns undefined where its folder holds none any more
   */
  async look(folder: string): Promise<RunSummary | undefined> {
    const run = this.#run(folder);
    const patience = new AbortController();
    const { signal } = patience;
    const late = delay(LIST_PATIENCE_MS, undefined, { signal }).then(
      () => run.known ?? unknownRun(folder, 'it takes long to read'),
      () => undefined,
    );
    try {
      return await Promise.race([run.look(), late]);
    } catch (error) {
      return await unknownRun(folder, messageOf(error));
    } finally {
      patience.abort();
    }
  }

  /**
   * Starts a run.
   *
   * @throws LorafaError for mistakes in the configuration, an output folder that is in use, and as
   * {@link startTrainer} does
   */
  async start(configFile: string, whenBusy: WhenBusy): Promise<RunSummary> {
    return this.#start(await readConfig(configFile), configFile, whenBusy);
  }

  /**
   * Goes on with a run that ended, by the configuration that is stored in its folder, wherever that
   * lies now. One that ended before it was stored begins anew from its configuration file.
   *
   * @param checkpoint a checkpoint's folder, or `latest`
   * @param baseModel where the base model is now, if it is not where it was
   * @throws LorafaError as {@link start} does, `output.not_found` when there is no run any more,
   * `checkpoint.corrupt` when it cannot go on, and `model.not_found` when the base model is not there any more
   */
  async resume(
    folder: string,
    checkpoint: string,
    whenBusy: WhenBusy,
    baseModel?: string,
  ): Promise<RunSummary> {
    const { configFile } = await this.#refreshed(folder);
    if (configFile !== null && !(await hasRecord(folder))) {
      return this.#startAnew(folder, configFile, whenBusy);
    }
    const { config: stored } = await readRunRecord(folder);
    const { model, training, ...sections } = whereItIsNow(stored, folder);
    const base = baseModel ?? model.base_model_name_or_path;
    await requireModel(base);
    const config: ResolvedConfig = {
      ...sections,
      model: { ...model, base_model_name_or_path: base },
      training: { ...training, resume_from_checkpoint: checkpoint },
      accelerate: await ownPython(stored.accelerate, configFile),
    };
    return this.#start(config, configFile, whenBusy);
  }

  /** Steers a run; see `trainerControl`. */
  control(folder: string, action: RunAction): Promise<RunStatus> {
    return this.#run(folder).control(action);
  }

  /** See {@link measureRun}. */
  async measure(folder: string): Promise<RunFootprint> {
    const { workspaceFolders } = this.#options;
    const { own, bytes, checkpoints, others } = await deletionOf(folder, workspaceFolders);
    const isWhole = others.length === 0 && !workspaceFolders.includes(folder);
    return { paths: isWhole ? [folder] : own, bytes, checkpoints, others };
  }

  /** See {@link deleteRun}. Throws as it does. */
  async delete(folder: string): Promise<DeletedRun> {
    const { workspaceFolders, registry } = this.#options;
    const deleted = await inOwnFolder(folder, () => deleteRun(folder, workspaceFolders));
    await registry.remove(folder);
    await this.#forget(folder);
    return deleted;
  }

  /** See {@link renameRun}. */
  async rename(folder: string, name: string): Promise<RunSummary> {
    const { workspaceFolders, registry } = this.#options;
    const { configFile } = await this.#refreshed(folder);
    const renamed = await inOwnFolder(folder, () => renameRun(folder, name, workspaceFolders));
    await registry.add({ folder: renamed, configFile });
    await registry.remove(folder);
    // Who asked learns both names at once, from the answer.
    this.#runs.get(folder)?.dispose();
    this.#runs.delete(folder);
    return this.#refreshed(renamed);
  }

  /** Keeps what people write about a run. Throws LorafaError `output.not_found`, `output.not_writable`. */
  async annotate(folder: string, change: RunNotesChange): Promise<RunSummary> {
    await this.#refreshed(folder);
    await inOwnFolder(folder, () => changeNotes(folder, change));
    return this.#refreshed(folder);
  }

  /** See `finishRun` of the engine: in a process of its own, since it may load a model. */
  async finish(folder: string, checkpoint: string): Promise<RunSummary> {
    await this.#refreshed(folder);
    const args = ['finish', folder, '--checkpoint', checkpoint];
    await runCli(this.#options.cliScript, args, CancellationToken.None);
    return this.#refreshed(folder);
  }

  /** The configuration that a run uses; null while it is not stored. */
  async config(folder: string): Promise<RunConfig> {
    return readRunRecord(folder).then(
      ({ config }) => config,
      () => null,
    );
  }

  /** Sends a run's history and news to a follower; resolves when the history was sent. */
  follow(folder: string, follower: RunFollower): Promise<void> {
    return this.#run(folder).follow(follower);
  }

  unfollow(folder: string): void {
    this.#runs.get(folder)?.unfollow();
  }

  /** Lets go of all runs, which go on. */
  dispose(): void {
    this.#registryWatch?.close();
    for (const run of this.#runs.values()) run.dispose();
    this.#runs.clear();
  }

  async #start(
    config: ResolvedConfig,
    configFile: string | null,
    whenBusy: WhenBusy,
  ): Promise<RunSummary> {
    const { registry, trainerScript, askPython } = this.#options;
    const { answerTimeoutMs = ANSWER_TIMEOUT_MS } = this.#options;
    const variables = await pythonVariables(config, configFile, askPython);
    const job = { config, configFile, whenBusy, registryFolder: registry.folder };
    await startTrainer(trainerScript, job, answerTimeoutMs, variables);
    return this.#refreshed(config.training.output_dir);
  }

  /** Throws LorafaError `output.not_found`. */
  async #refreshed(folder: string): Promise<RunSummary> {
    const summary = await this.#run(folder).refresh();
    if (summary !== undefined) return summary;
    throw goneRun(folder);
  }

  /** What its folder says must be run into it: anybody may have written what names the file. */
  async #startAnew(folder: string, configFile: string, whenBusy: WhenBusy): Promise<RunSummary> {
    const config = await readConfig(configFile);
    const { output_dir: output } = config.training;
    if (output === folder) return this.#start(config, configFile, whenBusy);
    throw new LorafaError(
      'checkpoint.corrupt',
      `${folder} holds no run that could go on, and ${configFile}, by which it was started, writes to ${output}; start that configuration if it is what you want.`,
      { location: { file: folder } },
    );
  }

  async #forget(folder: string): Promise<void> {
    const run = this.#run(folder);
    await run.refresh();
    run.dispose();
    this.#runs.delete(folder);
  }

  #run(folder: string): TrackedRun {
    const known = this.#runs.get(folder);
    if (known !== undefined) return known;
    const { answerTimeoutMs = ANSWER_TIMEOUT_MS } = this.#options;
    const run = new TrackedRun(folder, answerTimeoutMs, this.#options);
    this.#runs.set(folder, run);
    return run;
  }

  /** Other windows start runs too. */
  async #watchRegistry(): Promise<void> {
    if (this.#registryWatch !== undefined) return;
    const { folder } = this.#options.registry;
    await ensureFolder(folder);
    this.#registryWatch = watch(folder, () => void this.list().catch(() => undefined));
    this.#registryWatch.on('error', () => undefined);
  }
}

function hasRecord(folder: string): Promise<boolean> {
  return exists(path.join(folder, RECORD_FILE));
}

/** Told before the run starts, so that whoever asks can say where the model is. */
async function requireModel(base: string): Promise<void> {
  // What is on the Hub is had from there again.
  if (isHubInput(base) || (await exists(base))) return;
  throw new LorafaError(
    'model.not_found',
    `The base model of this run is not at ${base} any more; put it back, or say where it is now.`,
    { location: { file: base } },
  );
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
