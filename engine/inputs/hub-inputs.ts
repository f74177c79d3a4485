import type { ResolvedConfig } from '../config/schema.ts';
import type { FileHead } from '../formats/file-head.ts';
import type { OnDownload } from '../hub/download-progress.ts';
import { HubConnection, type HubConnectionOptions } from '../hub/hub-connection.ts';
import { HubError } from '../hub/hub-error.ts';
import { type HubName, parseHubName } from '../hub/hub-name.ts';
import { type HubSettings, hubSettings } from '../hub/hub-settings.ts';
import { hubToken } from '../hub/hub-token.ts';
import type { ChooseFiles } from '../hub/repository-view.ts';
import {
  cachedSnapshot,
  fetchSnapshot,
  type Snapshot,
  type SnapshotRequest,
} from '../hub/snapshot.ts';
import { type DataUse, dataFiles, NoReadableRows, PARQUET_REVISION } from './choose-data-files.ts';
import { adapterFiles, type ModelParts, modelFiles } from './choose-model-files.ts';
import type { HubSource, InputUse } from './hub-source.ts';
import { type LocalData, localData } from './local-data.ts';
import { localPaths } from './local-paths.ts';
import { refuseMisspelt } from './misspelt-input.ts';

/** The inputs of a configuration on this machine. */
export interface LocalInputs {
  /** With paths in place of the names of the Hub. */
  readonly config: ResolvedConfig;
  /** What the names stand for, from now on. */
  readonly sources: readonly HubSource[];
  /** Sentences about what could not be asked of the Hub. */
  readonly warnings: readonly string[];
  /** The headers of weights that are not here, by their paths; none unless `headsOnly` or `rowsOnly` is asked for. */
  readonly heads: ReadonlyMap<string, FileHead>;
}

/** How inputs are brought here. */
export interface HubInputOptions {
  readonly onDownload?: OnDownload;
  /** What an earlier session of the same run used, which stays what it is. */
  readonly known?: readonly HubSource[];
  /** Only what the training rows and their tokens need: no weights but the header of a GGUF file, and no other input. */
  readonly rowsOnly?: boolean;
  /** Inputs that nobody opens this time: their paths may lead nowhere. */
  readonly unread?: readonly InputUse[];
  /** Only the headers of weights that are not here: enough to say what a run will take. */
  readonly headsOnly?: boolean;
  /** How patient a connection is; for tests. */
  readonly patience?: Omit<HubConnectionOptions, 'token'>;
}

/**
 * Brings the inputs that a configuration names on the Hub onto this machine. Without such a name
 * nothing is asked of anybody.
 *
 * @throws HubError for everything that can be wrong between here and the Hub; LorafaError
 * `output.not_writable`, and as `localData`; MisspeltInput
 */
export async function fetchInputs(
  config: ResolvedConfig,
  options: HubInputOptions = {},
): Promise<LocalInputs> {
  const inputs = new HubInputs(options);
  const isNeeded = (use: InputUse): boolean =>
    options.rowsOnly !== true || use === 'model' || use === 'training';
  const local = await mapInputs(config, async (name, use) =>
    isNeeded(use) ? inputs.paths(name, use) : [name],
  );
  const { sources, warnings, heads } = inputs;
  return { config: local, sources, warnings, heads };
}

/**
 * Brings one input onto this machine.
 *
 * @param known what a run used under that name, which stays what it is
 * @param signal ends it
 * @returns its path; the name as it is where it is a path already
 * @throws as {@link fetchInputs}; the reason of `signal`
 */
export async function fetchInput(
  name: string,
  use: 'model' | 'adapter',
  onDownload?: OnDownload,
  known: readonly HubSource[] = [],
  signal?: AbortSignal,
): Promise<string> {
  const inputs = new HubInputs({
    known,
    patience: { signal },
    ...(onDownload !== undefined && { onDownload }),
  });
  return (await inputs.paths(name, use))[0]!;
}

/**
 * The paths of an input, as far as they are here: nothing is asked of anybody.
 *
 * @returns undefined for a name of the Hub that is not here yet
 * @throws LorafaError as `localData`; MisspeltInput
 */
export async function cachedInput(
  name: string,
  use: InputUse,
): Promise<readonly string[] | undefined> {
  const hub = parseHubName(name);
  if (hub === undefined) {
    return (await localInput(name, use)).paths;
  }
  const request = requestFor(hub, use);
  const settings = hubSettings();
  const found =
    (await cachedSnapshot(request, settings)) ??
    (isDataUse(use) ? await cachedSnapshot(inParquet(request), settings) : undefined);
  return found && localPaths(found, use, hub.slice);
}

/** What a path stands for. */
async function localInput(input: string, use: InputUse): Promise<LocalData> {
  await refuseMisspelt(input, use);
  return isDataUse(use) ? localData(input, use) : { paths: [input], skipped: undefined };
}

/** A configuration with other inputs, of which one may become several files. */
async function mapInputs(
  config: ResolvedConfig,
  map: (name: string, use: InputUse) => Promise<readonly string[]>,
): Promise<ResolvedConfig> {
  const { model, data, lora } = config;
  const one = async (name: string, use: InputUse): Promise<string> => (await map(name, use))[0]!;
  const all = async (names: string | string[], use: InputUse): Promise<string | string[]> => {
    const paths: string[] = [];
    for (const name of [names].flat()) paths.push(...(await map(name, use)));
    return typeof names === 'string' && paths.length === 1 ? paths[0]! : paths;
  };
  const { eval_dataset_name_or_path: held, mix } = data;
  const mixed: NonNullable<typeof mix> = [];
  for (const set of mix ?? []) {
    mixed.push({ ...set, dataset_name_or_path: await all(set.dataset_name_or_path, 'training') });
  }
  return {
    ...config,
    model: {
      ...model,
      base_model_name_or_path: await one(model.base_model_name_or_path, 'model'),
    },
    data: {
      ...data,
      dataset_name_or_path: await all(data.dataset_name_or_path, 'training'),
      ...(held !== undefined && { eval_dataset_name_or_path: await all(held, 'evaluation') }),
      ...(mix !== undefined && { mix: mixed }),
    },
    lora: {
      ...lora,
      ...(lora.init_adapter !== undefined && {
        init_adapter: await one(lora.init_adapter, 'adapter'),
      }),
    },
  };
}

/** The names of one configuration, each of which is looked up once. */
class HubInputs {
  readonly sources: HubSource[] = [];
  readonly warnings: string[] = [];
  readonly heads = new Map<string, FileHead>();
  readonly #options: HubInputOptions;
  readonly #snapshots = new Map<string, Promise<Snapshot>>();
  #connection: Promise<HubConnection> | undefined;

  constructor(options: HubInputOptions) {
    this.#options = options;
  }

  async paths(input: string, use: InputUse): Promise<readonly string[]> {
    const hub = parseHubName(input);
    if (hub === undefined) {
      if (this.#options.unread?.includes(use) === true) return [input];
      const { paths, skipped } = await localInput(input, use);
      if (skipped !== undefined) this.warnings.push(skipped);
      return paths;
    }
    const key = `${use} ${nameOf(hub)}`;
    const snapshot = this.#snapshots.get(key) ?? this.#find(hub, use);
    this.#snapshots.set(key, snapshot);
    return localPaths(await snapshot, use, hub.slice);
  }

  async #find(hub: HubName, use: InputUse): Promise<Snapshot> {
    const name = nameOf(hub);
    const known = this.#options.known?.find((each) => each.name === name && each.use === use);
    const { rowsOnly = false, headsOnly = false } = this.#options;
    const request =
      known === undefined
        ? requestFor(hub, use, rowsOnly ? 'tokenizer' : 'all')
        : sameFiles(hub, use, known);
    const { found: snapshot, revision } = await orInParquet(
      { ...request, headsOnly: (headsOnly || rowsOnly) && use === 'model' },
      (each) => this.#snapshot(each),
    );
    const { commit, files, heads = [] } = snapshot;
    for (const [file, head] of heads) this.heads.set(file, head);
    this.sources.push({
      name,
      use,
      revision: known?.revision ?? revision,
      commit,
      files: [...files],
    });
    return snapshot;
  }

  async #snapshot(request: SnapshotRequest): Promise<Snapshot> {
    const settings = hubSettings();
    const { name, isFixed } = request;
    // What never changes is not asked for again.
    const here =
      settings.isOffline || isFixed ? await cachedSnapshot(request, settings) : undefined;
    if (here !== undefined) return here;
    if (settings.isOffline) throw notCached(name);
    this.#connection ??= this.#connect(settings);
    const connection = await this.#connection;
    const { onDownload = () => undefined } = this.#options;
    try {
      return await fetchSnapshot(request, { settings, connection, onDownload });
    } catch (error) {
      const isAway =
        error instanceof HubError && ['hub.unreachable', 'hub.unavailable'].includes(error.code);
      const last = isAway ? await cachedSnapshot(request, settings) : undefined;
      if (last === undefined) throw error;
      this.warnings.push(
        `The hub could not be asked whether ${name} has changed, so what is on this machine is used (${last.commit.slice(0, 7)}).`,
      );
      return last;
    }
  }

  async #connect(settings: HubSettings): Promise<HubConnection> {
    return new HubConnection(settings, {
      token: await hubToken(),
      worksOffline: true,
      ...this.#options.patience,
    });
  }
}

/**
 * Asks for something, or where it has no rows in a format that is read, for the Hub's own edition of them.
 *
 * @returns what was found, and in which revision
 */
export async function orInParquet<T>(
  request: SnapshotRequest,
  ask: (request: SnapshotRequest) => Promise<T>,
): Promise<{ readonly found: T; readonly revision: string }> {
  const { revision, repository } = request;
  try {
    return { found: await ask(request), revision };
  } catch (error) {
    const mayHaveEdition = revision === 'main' && repository.kind === 'dataset';
    if (!mayHaveEdition || !(error instanceof NoReadableRows || isAbsent(error))) throw error;
    const converted = inParquet(request);
    try {
      return { found: await ask(converted), revision: converted.revision };
    } catch (second) {
      throw isAbsent(second) ? error : second;
    }
  }
}

/** What is asked of the Hub for a name. */
export function requestFor(
  hub: HubName,
  use: InputUse,
  parts: ModelParts = 'all',
): SnapshotRequest {
  const { repository, revision } = hub;
  return {
    repository: {
      kind: use === 'model' || use === 'adapter' ? 'model' : 'dataset',
      name: repository,
    },
    name: nameOf(hub),
    revision,
    choose: chooseFor(hub, use, parts),
    isFixed: false,
  };
}

function chooseFor({ part }: HubName, use: InputUse, parts: ModelParts): ChooseFiles {
  switch (use) {
    case 'model':
      return modelFiles(part, parts);
    case 'adapter':
      return adapterFiles;
    case 'training':
    case 'evaluation':
      return dataFiles(part, use);
  }
}

/** Whether there is no such revision, or nobody who could be asked for it and nothing of it here. */
function isAbsent(error: unknown): boolean {
  const codes = ['hub.not_found', 'hub.not_cached', 'hub.unreachable', 'hub.unavailable'];
  return error instanceof HubError && codes.includes(error.code);
}

/** The same rows as the Hub has made them into Parquet. */
function inParquet(request: SnapshotRequest): SnapshotRequest {
  return { ...request, revision: PARQUET_REVISION };
}

function isDataUse(use: InputUse): use is DataUse {
  return use === 'training' || use === 'evaluation';
}

/** The files that an earlier session used, at the commit that they had then. */
function sameFiles(hub: HubName, use: InputUse, known: HubSource): SnapshotRequest {
  const choose: ChooseFiles = async ({ files, name }) => {
    const missing = known.files.find((file) => !files.includes(file));
    if (missing === undefined) return known.files;
    throw new HubError('hub.no_files', `${name} has no ${missing} any more, which this run uses.`);
  };
  return { ...requestFor(hub, use), revision: known.commit, choose, isFixed: true };
}

/** A name without the rows that are wanted of it. */
function nameOf({ repository, revision, part }: HubName): string {
  const at = revision === 'main' ? '' : `@${revision}`;
  return `${repository}${at}${part === undefined ? '' : `:${part}`}`;
}

function notCached(name: string): HubError {
  return new HubError(
    'hub.not_cached',
    `${name} is not on this machine, and HF_HUB_OFFLINE says not to ask the hub; unset it for one run, or take what is here.`,
  );
}
