import * as z from 'zod/mini';
import type { ExportResult } from '../../engine/export/export.ts';
import type { ExportSize } from '../../engine/export/export-sizes.ts';
import { notification, request } from '../rpc/message.ts';
import { folder, nothing } from './fields.ts';
import type { Generation, ModelChoice } from './generation.ts';

/** A base model on this machine. */
export interface FoundModel {
  /** What `model.base_model_name_or_path` takes: a folder or a `.gguf` file. */
  readonly path: string;
  /** Name for people: `organisation/name` from the Hugging Face cache, otherwise the file's name. */
  readonly name: string;
  readonly origin: 'workspace' | 'settings' | 'huggingface';
  /** Size of the weights in bytes. */
  readonly bytes: number;
  /** Tokens that it can look at; null where that is not known without loading it. */
  readonly contextLength: number | null;
  /** Why it cannot be trained; null if nothing speaks against it. */
  readonly problem: string | null;
}

/** Client → server: base models in the workspace, other folders and the Hugging Face cache. */
export const listModels = request<readonly FoundModel[]>()(
  'lorafa/models/list',
  z.object({
    /** Further folders, from the user's settings. */
    folders: z.readonly(z.array(z.string())),
  }),
);

/** A LoRA adapter on this machine. */
export interface FoundAdapter {
  readonly path: string;
  /** Name for people. */
  readonly name: string;
  /** The base model, as the adapter's maker called it; null where it does not say. */
  readonly baseModel: string | null;
  /** The same for people: its name on the Hugging Face Hub, or that of its file or folder. */
  readonly baseName: string | null;
  readonly rank: number;
  /** How its run had the base model's weights; null: as they are stored, or nobody knows. */
  readonly quantization: ModelChoice['quantization'];
  /** The run folder that it is a checkpoint of; null for other adapters. */
  readonly checkpointOf: string | null;
  /** Whether its folder is that of a run, whose result it is. */
  readonly isResult: boolean;
  /** Bytes of its weights. */
  readonly bytes: number;
  /** Why it cannot be used, as a clause; null if nothing is known against it. */
  readonly problem: string | null;
  /** When it was saved, ISO 8601. */
  readonly modified: string;
}

/** Client → server: adapters in the workspace and in the folders of its runs, the newest first. */
export const listAdapters = request<readonly FoundAdapter[]>()('lorafa/adapters/list', nothing);

/** Client → server: refuses what is no whole adapter, with a sentence for people. */
export const requireAdapter = request<Record<string, never>>()(
  'lorafa/adapters/require',
  z.object({ folder }),
);

/** What goes with an adapter, and what stays. */
export interface AdapterFootprint {
  /** Its folder, or only its files where there is something else beside them. */
  readonly paths: readonly string[];
  /** Bytes that they take. */
  readonly bytes: number;
  /** What is not the adapter's and stays, as paths from its folder. */
  readonly others: readonly string[];
}

/**
 * Client → server: what {@link deleteAdapter} would remove, to ask before. Refused for the result of a run, which goes
 * with the run, and while a run writes there.
 */
export const measureAdapter = request<AdapterFootprint>()(
  'lorafa/adapters/measure',
  z.object({ folder }),
);

/** Client → server: remove an adapter that is no run's result, or a checkpoint, for good. */
export const deleteAdapter = request<AdapterFootprint>()(
  'lorafa/adapters/delete',
  z.object({ folder }),
);

/**
 * Client → server: give the folder of an adapter that is no run's another name, beside where it lies. Answered with
 * the folder that it is then.
 */
export const renameAdapter = request<{ readonly folder: string }>()(
  'lorafa/adapters/rename',
  z.object({ folder, name: z.string().check(z.minLength(1)) }),
);

/** What an adapter was trained on, and on what it can be tried, as its run tells. */
export interface AdapterTraining {
  /** Data files, as the configuration names them. */
  readonly files: readonly string[];
  /** How their rows were read: `question → answer`; empty where the run does not say. */
  readonly shape: string;
  /** The user's templates, where they wrote the text. */
  readonly templates: { readonly prompt?: string | undefined; readonly completion: string } | null;
  /** Rows that were learned, and whether the text came from the chat template; null: nobody knows. */
  readonly rows: number | null;
  /** Whether the number of rows was inferred from a part of them. */
  readonly isInferred?: boolean | undefined;
  readonly isChat: boolean | null;
  /** Where the examples are from: rows that were held out or learned, or `training.sample_prompts`. */
  readonly origin: 'held-out' | 'training' | 'sample-prompts';
  readonly examples: readonly TrainingExample[];
}

/** A prompt of the kind that an adapter was trained on. */
export interface TrainingExample {
  readonly prompt: Generation['prompt'];
  /** What the row has as the answer; null for a prompt without one. */
  readonly expected: string | null;
}

/**
 * Client → server: what an adapter, or a checkpoint's, was trained on; null where its folder does not
 * tell.
 */
export const describeTraining = request<AdapterTraining | null>()(
  'lorafa/adapters/training',
  z.object({ folder }),
);

/**
 * Client → server: whether a conversation can be put to a base model, or to an adapter on it. Their files are looked at in
 * a process that can be ended.
 */
export const lookForChatTemplate = request<boolean>()(
  'lorafa/models/chatTemplate',
  z.object({
    /** As in `ModelChoice`. */
    model: z.string().check(z.minLength(1)),
    /** Folder of the adapter; null for the base model alone. */
    adapter: z.nullable(folder),
  }),
);

/**
 * Client → server: export an adapter in the format of another program, what `lorafa export --json` does and
 * prints last. {@link exportProgress} tells how far it is. Cancelled like any request
 * (`$/cancelRequest`): nothing of it is kept.
 */
export const exportAdapter = request<ExportResult>()(
  'lorafa/adapters/export',
  z.object({
    /** Chosen by the client: names the export in {@link exportProgress}. */
    id: z.string(),
    folder,
    format: z.string(),
    output: z.string().check(z.minLength(1)),
    /** Null for that of the base. */
    dtype: z.nullable(z.string()),
  }),
);

/** Client → server: how much an adapter takes in each format, what `lorafa export --sizes --json` prints. */
export const measureExports = request<readonly ExportSize[]>()(
  'lorafa/adapters/exports',
  z.object({ folder }),
);

/** Server → client: how far an export is, for people. */
export const exportProgress = notification(
  'lorafa/adapters/export/progress',
  z.object({ id: z.string(), text: z.string() }),
);
