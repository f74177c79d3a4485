import { access } from 'node:fs/promises';
import path from 'node:path';
import { resolveInput } from '../config/resolve-paths.ts';
import { LorafaError } from '../errors.ts';
import type { OnDownload } from '../hub/download-progress.ts';
import { parseHubName } from '../hub/hub-name.ts';
import { cachedInput, fetchInput } from '../inputs/hub-inputs.ts';
import { ADAPTER_CONFIG_FILE } from '../lora/adapter.ts';
import { readAdapterConfig } from '../lora/adapter-config.ts';
import { type LoadedAdapter, loadAdapter } from '../lora/load-adapter.ts';
import { type BaseModel, openBaseModel } from '../models/base-model.ts';
import { nf4Of } from '../plan/run-model.ts';
import { type TokenizerFiles, withTemplate } from '../tokenizer/tokenizer-files.ts';
import { isCheckpointName, openCheckpoint } from '../train/checkpoint-folders.ts';
import { whereItIsNow } from '../train/moved-run.ts';
import { findRunRecord, type RunRecord } from '../train/run-record.ts';
import type { Nf4Options } from '../weights/nf4-weights.ts';

/** What is exported, found and checked; no weights but the adapter's are in memory. */
export interface ExportSource {
  /** The folder of the adapter, or of a model that was trained whole. */
  readonly folder: string;
  /** Short name for people and for files: that of the folder, and of its run where it is a checkpoint. */
  readonly name: string;
  /** null for a model that was trained whole. */
  readonly adapter: LoadedAdapter | null;
  /** Only its headers were read: weights that a run would unpack lie nowhere. */
  readonly base: BaseModel;
  /** How the run stored the base that the adapter was trained on, where that is not as it lies. */
  readonly nf4: Nf4Options | undefined;
  /** With the chat template that it was trained with. */
  readonly tokenizer: TokenizerFiles;
}

/** Where a source is looked for. */
export interface SourceOptions {
  /** The base model in the place of the one that the adapter or its run names. */
  readonly base?: string | undefined;
  readonly onDownload?: OnDownload | undefined;
  /** Ends a download. */
  readonly signal?: AbortSignal | undefined;
  /** Nothing is downloaded: only a base that is on this machine will do. */
  readonly isOffline?: boolean | undefined;
}

/** Whether a folder holds an adapter, or a whole model. */
async function holdsAdapter(folder: string): Promise<boolean> {
  if (await exists(path.join(folder, ADAPTER_CONFIG_FILE))) return true;
  if (await exists(path.join(folder, 'config.json'))) return false;
  throw new LorafaError(
    'adapter.not_found',
    `${folder} has neither ${ADAPTER_CONFIG_FILE} nor config.json; give the folder of an adapter, of a checkpoint, or of a model that was trained whole.`,
    { location: { file: folder } },
  );
}

/**
 * Opens an adapter with the base model that it belongs to, or a model that was trained whole.
 *
 * @param folder of a result, of a checkpoint, or of an adapter from elsewhere
 * @throws LorafaError `adapter.not_found`, `checkpoint.corrupt`, `usage.invalid`, and as `fetchInput`, `openBaseModel` and
 * `loadAdapter` do
 */
export async function openExportSource(
  folder: string,
  { base: given, onDownload, signal, isOffline = false }: SourceOptions = {},
): Promise<ExportSource> {
  await requireWholeCheckpoint(folder);
  const ownName = await nameOf(folder);
  if (!(await holdsAdapter(folder))) {
    if (given !== undefined) {
      throw new LorafaError(
        'usage.invalid',
        `${folder} holds a whole model, which has no base; leave --base out.`,
        { location: { file: folder } },
      );
    }
    const base = await openBaseModel(folder, { headersOnly: true });
    const { tokenizer } = base;
    return { folder, name: ownName, adapter: null, base, nf4: undefined, tokenizer };
  }
  const record = await recordOf(folder);
  const name =
    given === undefined ? await requireBase(folder, record) : resolveInput(given, process.cwd());
  const place = isOffline
    ? await baseHere(name)
    : await fetchInput(name, 'model', onDownload, record?.hub, signal);
  const base = await openBaseModel(place, { headersOnly: true });
  const adapter = await loadAdapter(folder, base.config);
  const { chatTemplate } = adapter;
  return {
    folder,
    name: ownName,
    adapter,
    base,
    nf4: record && nf4Of(record.config),
    tokenizer:
      chatTemplate === undefined ? base.tokenizer : withTemplate(base.tokenizer, chatTemplate),
  };
}

/**
 * The adapter of a source.
 *
 * @throws LorafaError `adapter.not_found` where a model was trained whole
 */
export function requireAdapter({ adapter, folder }: ExportSource, format: string): LoadedAdapter {
  if (adapter !== null) return adapter;
  throw new LorafaError(
    'adapter.not_found',
    `${folder} holds a whole model and no adapter, which is what the format ${format} is for; export it as merged, gguf, ollama or onnx.`,
    { location: { file: folder } },
  );
}

/**
 * The base of an adapter as its run finds it now, or as the adapter names it.
 *
 * @returns a name on the Hub, where that is known with its revision, or an absolute path; null where none is named
 * @throws LorafaError as `readAdapterConfig`
 */
export async function baseOf(
  folder: string,
  record: RunRecord | undefined,
): Promise<string | null> {
  return record?.config.model.base_model_name_or_path ?? (await namedBase(folder));
}

/** {@link baseOf}, as the adapter itself names it; a path starts where the program does, as in PEFT. */
export async function namedBase(folder: string): Promise<string | null> {
  const { baseModelNameOrPath: named, revision } = await readAdapterConfig(folder);
  // An address is none of the two.
  if (named === null || named.includes('://')) return named;
  const base = resolveInput(named, process.cwd());
  const isAtMain = parseHubName(base)?.revision === 'main';
  return isAtMain && revision !== null ? `${base}@${revision}` : base;
}

async function requireBase(folder: string, record: RunRecord | undefined): Promise<string> {
  const base = await baseOf(folder, record);
  if (base !== null) return base;
  throw new LorafaError(
    'model.not_found',
    `${path.join(folder, ADAPTER_CONFIG_FILE)} names no base model (base_model_name_or_path); give it with --base.`,
    { location: { file: path.join(folder, ADAPTER_CONFIG_FILE) } },
  );
}

/** @throws LorafaError `hub.not_cached` for a name of the Hub that is not here yet */
async function baseHere(name: string): Promise<string> {
  const [place] = (await cachedInput(name, 'model')) ?? [];
  if (place !== undefined) return place;
  throw new LorafaError(
    'hub.not_cached',
    `The base model ${name} is not on this machine yet; an export downloads it first.`,
  );
}

/** The record of the run that a result or a checkpoint is of, with its paths as they are now. */
export async function recordOf(folder: string): Promise<RunRecord | undefined> {
  const run = (await checkpointRun(folder)) ?? folder;
  const record = await findRunRecord(run);
  return record && { ...record, config: whereItIsNow(record.config, run) };
}

/** The name of an export: that of its folder, and of the run where that is a checkpoint. */
export async function nameOf(folder: string): Promise<string> {
  const run = await checkpointRun(folder);
  return [...(run === undefined ? [] : [path.basename(run)]), path.basename(folder)].join('-');
}

/**
 * Makes sure that a folder is what was written, where it is a checkpoint.
 *
 * @throws LorafaError `checkpoint.corrupt`
 */
export async function requireWholeCheckpoint(folder: string): Promise<void> {
  if ((await checkpointRun(folder)) !== undefined) await openCheckpoint(folder);
}

/** The folder of the run whose checkpoint a folder is; undefined where it is none. */
export async function checkpointRun(folder: string): Promise<string | undefined> {
  if (!isCheckpointName(path.basename(folder))) return undefined;
  const parent = path.dirname(folder);
  return (await findRunRecord(parent)) === undefined ? undefined : parent;
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
