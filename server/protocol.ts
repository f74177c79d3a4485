import * as z from 'zod/mini';
import type { ExamplePreview } from '../engine/data/preview.ts';
import type { DatasetReport } from '../engine/data/report.ts';
import type { RunEstimate } from '../engine/plan/estimate-run.ts';
import type { PaddingReport } from '../engine/train/events.ts';
import type { JournalEntry } from '../engine/train/journal-entry.ts';
import { notification, request } from './rpc/message.ts';
import { type RunStatus, runStatusSchema } from './runs/run-status.ts';
import { RUN_ACTIONS } from './trainer/trainer-protocol.ts';

/**
 * Every message between the extension and the language server beyond the Language Server Protocol
 * itself is declared here, once, with its direction and its reason. What crosses the boundary is
 * checked by the receiver against the schema that stands with the message. The extension imports
 * this file too, so that it must not import the engine (and uses zod's small edition). The server
 * itself speaks to trainers and generators by `trainer/trainer-protocol.ts` and
 * `generator/generator-protocol.ts`.
 *
 * A request that could not be fulfilled is answered with the code `RPC_ERRORS.failed`, a sentence
 * for people, and a `RequestFailure` as data.
 */

/**
 * Version of this protocol, raised by every change that an older peer would misunderstand. Client
 * and server come from one package, but a window that was not reloaded after an update may start
 * the new server with the old client.
 */
export const PROTOCOL_VERSION = 1;

/**
 * Client → server, inside the `initialize` request: what the server must know before it can answer
 * anything. A server that gets anything else refuses to start.
 */
export const initializationOptions = z.object({
  /** {@link PROTOCOL_VERSION} of the client. */
  protocolVersion: z.literal(PROTOCOL_VERSION),
});

/** See {@link initializationOptions}. */
export type InitializationOptions = z.infer<typeof initializationOptions>;

const nothing = z.object({});
const folder = z.string().check(z.minLength(1));

/** Schema of {@link RunSummary}. */
const runSummarySchema = z.object({
  /** Absolute path of the run folder, which is the identity of a run. */
  folder: z.string(),
  /** Short name for people. */
  name: z.string(),
  /** The file that it was started with, if known. */
  configFile: z.nullable(z.string()),
  status: runStatusSchema,
  /** Whether a process works on it. */
  isLive: z.boolean(),
  /** False for the runs of the command line, which only their terminal steers, and for past ones. */
  isSteerable: z.boolean(),
  /** Folders of the checkpoints on disk that the run went through, oldest first. */
  checkpoints: z.readonly(z.array(z.string())),
  /** Those that it left behind when it was resumed from an earlier one, and those that are broken. */
  abandonedCheckpoints: z.readonly(z.array(z.string())),
  /** What is wrong with the trainer itself, such as another version or no answer; null if nothing. */
  problem: z.nullable(z.string()),
});

/** A run, live or past, as lists show it. */
export type RunSummary = Readonly<z.infer<typeof runSummarySchema>>;

/**
 * Client → server: all runs of the workspace, live first, then by age. From then on the server
 * tells changes by {@link runChanged}.
 */
export const listRuns = request<readonly RunSummary[]>()('lorafa/runs/list', nothing);

/**
 * Client → server: start a run from a configuration file, as it is on disk. Answered when its
 * trainer has taken it on; the configuration is frozen from then on.
 */
export const startRun = request<RunSummary>()(
  'lorafa/runs/start',
  z.object({
    configFile: z.string().check(z.minLength(1)),
    /** Wait for the other runs of this user to end, or run beside them. */
    whenBusy: z.enum(['queue', 'parallel']),
  }),
);

/**
 * Client → server: go on with a run that ended, by the configuration in its folder. Answered like
 * {@link startRun}.
 */
export const resumeRun = request<RunSummary>()(
  'lorafa/runs/resume',
  z.object({
    folder,
    /** Folder of a checkpoint, or `latest`: the newest that can be used, or the start of the run. */
    checkpoint: z.string().check(z.minLength(1)),
    whenBusy: z.enum(['queue', 'parallel']),
    /** Where the base model is, if it is not where it was. */
    baseModel: z.optional(z.string().check(z.minLength(1))),
  }),
);

/** Client → server: steer a live run; see `trainerControl`. Answered with what follows at once. */
export const controlRun = request<RunStatus>()(
  'lorafa/runs/control',
  z.object({ folder, action: z.enum(RUN_ACTIONS) }),
);

/** The configuration that a run really uses, as plain JSON; null while it is not stored yet. */
export type RunConfig = Readonly<Record<string, unknown>> | null;

/** Client → server: the configuration of a run, to show it and to compare it with another. */
export const getRunConfig = request<RunConfig>()('lorafa/runs/config', z.object({ folder }));

/**
 * Client → server: send the journal and the log of a run, from the start and then as they grow, by
 * {@link runEvents} and {@link runLog}. Asked for again, it begins again from the start. Answered
 * when all that was on disk has been sent.
 */
export const watchRun = request<null>()('lorafa/runs/watch', z.object({ folder }));

/** Client → server: nobody looks at a run any more. */
export const unwatchRun = request<null>()('lorafa/runs/unwatch', z.object({ folder }));

/** Server → client: a run is new or its status changed. */
export const runChanged = notification('lorafa/runs/changed', runSummarySchema);

/** Server → client: the next entries of a watched run's journal. */
export const runEvents = notification(
  'lorafa/runs/events',
  z.object({
    folder: z.string(),
    /** These are the first ones: forget what was shown before. */
    isStart: z.boolean(),
    entries: z.readonly(z.array(z.custom<JournalEntry>())),
  }),
);

/** Whose words a line of a log are; `output` is what the computing process printed. */
export type LogLevel = 'info' | 'warning' | 'error' | 'output';

/** One line of a run's log. */
export interface LogLine {
  /** ISO 8601; null where the line has none. */
  readonly time: string | null;
  readonly level: LogLevel;
  readonly text: string;
}

/** Server → client: the next lines of a watched run's log. */
export const runLog = notification(
  'lorafa/runs/log',
  z.object({
    folder: z.string(),
    /** These are the first ones: forget what was shown before. */
    isStart: z.boolean(),
    lines: z.readonly(z.array(z.custom<LogLine>())),
  }),
);

/** Schema of {@link ModelChoice}; the generator itself gets the same. */
export const modelChoiceSchema = z.object({
  /** Folder or `.gguf` file of the base model. */
  model: z.string().check(z.minLength(1)),
  /** As `engine.device` in a configuration. */
  device: z.string(),
  /** The frozen weights in NF4, as an adapter's run had them; null: as they are stored. */
  quantization: z.nullable(z.object({ doubleQuant: z.boolean() })),
});

/** A base model, and how it is opened. */
export type ModelChoice = Readonly<z.infer<typeof modelChoiceSchema>>;

/** What to go on from. */
const promptSchema = z.union([
  /** A text to continue. */
  z.object({ text: z.string() }),
  /** A user's turn: answered where the model has a chat template, otherwise continued. */
  z.object({ turn: z.string() }),
  /** A conversation to answer. */
  z.object({
    messages: z.readonly(z.array(z.object({ role: z.string(), content: z.string() }))),
  }),
]);

/** Options of a generation, as in transformers' GenerationConfig; what is left out has its default. */
const generationOptionsSchema = z.object({
  max_new_tokens: z.optional(z.number()),
  temperature: z.optional(z.number()),
  top_k: z.optional(z.number()),
  top_p: z.optional(z.number()),
  repetition_penalty: z.optional(z.number()),
  seed: z.optional(z.number()),
  stop: z.optional(z.readonly(z.array(z.string()))),
});

/** Schema of what to generate; the generator itself gets the same. */
export const generationSchema = z.object({
  /** Chosen by the client: names the generation in {@link generationPiece}. */
  id: z.string(),
  /** Folder of an adapter or checkpoint; null for the base model alone. */
  adapter: z.nullable(z.string()),
  prompt: promptSchema,
  options: generationOptionsSchema,
});

/** See {@link generationSchema}. */
export type Generation = Readonly<z.infer<typeof generationSchema>>;

/** A finished generation. */
export interface GenerationAnswer {
  readonly text: string;
  readonly generatedTokens: number;
  /** 0 where a request was cancelled before it was known. */
  readonly promptTokens: number;
  /** `abort` when the request was cancelled; the text is what there was until then. */
  readonly finishReason: 'stop' | 'length' | 'abort' | 'stop_string';
  /** Tokens per second, from the first token on; null for fewer than two. */
  readonly tokensPerSecond: number | null;
}

/**
 * Client → server: let a model write. The text streams by {@link generationPiece}; a model that is
 * not loaded yet is loaded first, which {@link generationProgress} tells. Side by side is two
 * requests. Cancelled like any request (`$/cancelRequest`); it is still answered.
 */
export const generate = request<GenerationAnswer>()(
  'lorafa/generate',
  z.extend(generationSchema, modelChoiceSchema.shape),
);

/** Server → client: the next piece of a text; often one word. */
export const generationPiece = notification(
  'lorafa/generate/piece',
  z.object({ id: z.string(), text: z.string() }),
);

/** Server → client: a model is being loaded for a generation. */
export const generationProgress = notification(
  'lorafa/generate/progress',
  z.object({ id: z.string(), task: z.string(), done: z.number(), total: z.number() }),
);

/**
 * Client → server: how many tokens a base model's tokenizer makes of a text. The model is loaded
 * for it, as {@link generate} does.
 */
export const countTokens = request<number>()(
  'lorafa/tokens/count',
  z.extend(modelChoiceSchema, { text: z.string() }),
);

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
  readonly rank: number;
  /** How its run had the base model's weights; null: as they are stored, or nobody knows. */
  readonly quantization: ModelChoice['quantization'];
  /** The run folder that it is a checkpoint of; null for other adapters. */
  readonly checkpointOf: string | null;
  /** When it was saved, ISO 8601. */
  readonly modified: string;
}

/** Client → server: adapters in the workspace and in the folders of its runs, the newest first. */
export const listAdapters = request<readonly FoundAdapter[]>()('lorafa/adapters/list', nothing);

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
  readonly isChat: boolean | null;
  /** Whether the base model has a chat template; null: nobody knows. */
  readonly hasChatTemplate: boolean | null;
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

/** What `lorafa preview --json` prints. */
export interface DataPreview {
  readonly report: DatasetReport;
  /** Of an epoch over all rows that are used. */
  readonly padding: PaddingReport;
  readonly examples: readonly ExamplePreview[];
}

/** Client → server: some rows of a configuration's data as training sees them, with counts. */
export const previewData = request<DataPreview>()(
  'lorafa/data/preview',
  z.object({
    configFile: z.string().check(z.minLength(1)),
    /** How many rows. */
    rows: z.int().check(z.nonnegative()),
    /** How many of the rows that are used come before them. */
    skip: z.int().check(z.nonnegative()),
  }),
);

/**
 * Client → server: what a run of a configuration, as it is on disk, would take: memory, steps,
 * parameters and tokens, from all of its data. {@link estimateProgress} tells how far it is.
 * Cancelled like any request (`$/cancelRequest`).
 */
export const estimateRun = request<RunEstimate>()(
  'lorafa/estimate',
  z.object({ configFile: z.string().check(z.minLength(1)) }),
);

/** Server → client: how far the estimate of a configuration is. */
export const estimateProgress = notification(
  'lorafa/estimate/progress',
  z.object({ configFile: z.string(), task: z.string(), done: z.number(), total: z.number() }),
);

/** Client → server: what this machine can do; what `lorafa doctor --json` prints. */
export const examineMachine = request<Readonly<Record<string, unknown>>>()(
  'lorafa/doctor',
  nothing,
);
