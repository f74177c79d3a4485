import * as z from 'zod/mini';
import type { ColumnMapping } from '../engine/data/guess-columns.ts';
import type { ExamplePreview } from '../engine/data/preview.ts';
import type { DatasetReport, IssueList } from '../engine/data/report.ts';
import type { StarterData } from '../engine/data/starter-data.ts';
import type { ExportResult } from '../engine/export/export.ts';
import type { HubEntry } from '../engine/hub/search-hub.ts';
import type { StarterModel } from '../engine/models/starter-models.ts';
import type { RunEstimate } from '../engine/plan/estimate-run.ts';
import type { TrainingMemory } from '../engine/plan/training-memory.ts';
import type { PaddingReport } from '../engine/train/events.ts';
import type { JournalEntry } from '../engine/train/journal-entry.ts';
import type { MeasuredSpeed } from '../engine/train/measure-speed.ts';
import type { CacheEntry, EmptiedCache } from '../engine/weights/cache-entries.ts';
import { notification, request } from './rpc/message.ts';
import type { EarlierSpeed } from './runs/earlier-speed.ts';
import { runNotesChangeSchema, runNotesSchema } from './runs/run-notes-schema.ts';
import { type RunStatus, runStatusSchema, timeSchema } from './runs/run-status.ts';
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
export const PROTOCOL_VERSION = 2;

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

const measured = z.nullable(z.number());

/** Schema of {@link RunCheckpoint}. */
const checkpointSchema = z.object({
  folder: z.string(),
  step: z.number(),
  /** Losses when it was written, the second of an evaluation at that very step. */
  loss: measured,
  evalLoss: measured,
  /** Whether the run went through it; not where it was left for an earlier one. */
  isCurrent: z.boolean(),
  /** Why it cannot be used, as a clause; null if nothing is known against it. */
  problem: z.nullable(z.string()),
});

/** A checkpoint on disk. */
export type RunCheckpoint = Readonly<z.infer<typeof checkpointSchema>>;

/** Schema of {@link RunSummary}. */
const runSummarySchema = z.object({
  /** Absolute path of the run folder, which is the identity of a run. */
  folder: z.string(),
  /** Short name for people. */
  name: z.string(),
  /** The file that it was started with, if known. */
  configFile: z.nullable(z.string()),
  /** Where it stands: of what is over, the session that came to something. */
  status: runStatusSchema,
  /** A later session that came to nothing, such as a resume that was refused; null without one. */
  attempt: z.nullable(z.pick(runStatusSchema, { state: true, since: true, reason: true })),
  /** When its first session began; null before that. */
  began: z.nullable(timeSchema),
  /** Seconds that its sessions took, as far as they are written down. */
  seconds: z.number(),
  /** Whether a process works on it. */
  isLive: z.boolean(),
  /** False for the runs of the command line, which only their terminal steers, and for past ones. */
  isSteerable: z.boolean(),
  /** Oldest first. */
  checkpoints: z.readonly(z.array(checkpointSchema)),
  /**
   * Folder of the adapter that one tries and passes on: that of the run for its result, otherwise
   * that of the newest checkpoint with one; null while there is none.
   */
  adapter: z.nullable(z.string()),
  /** What people wrote about it. */
  notes: runNotesSchema,
  /** Why nothing is known of a live run but what is stored, or nothing new comes; null where it is heard, or over. */
  unheard: z.nullable(z.string()),
  /** What in its folder is damaged; null if nothing. */
  problem: z.nullable(z.string()),
});

/** A run, live or past, as lists show it. */
export type RunSummary = Readonly<z.infer<typeof runSummarySchema>>;

/**
 * Client → server: all runs of the workspace, live first, then by age. From then on the server
 * tells changes by {@link runChanged}.
 */
export const listRuns = request<readonly RunSummary[]>()('lorafa/runs/list', nothing);

/** Client → server: a run as it is now; null where its folder holds none any more. */
export const lookAtRun = request<RunSummary | null>()('lorafa/runs/look', z.object({ folder }));

/** A place in a file; lines and characters count from 0. */
interface Position {
  readonly line: number;
  readonly character: number;
}

/** A change of a text. */
export interface TextChange {
  readonly start: Position;
  readonly end: Position;
  readonly text: string;
}

/** A quick fix. */
export interface ConfigFix {
  readonly title: string;
  /** What changes in the text first; null if nothing. */
  readonly edit: TextChange | null;
  /** The command that is run then; null if none. */
  readonly command: { readonly id: string; readonly arguments: readonly unknown[] } | null;
}

/** The quick fixes of an open configuration. */
export interface ConfigFixes {
  /** The version of the text that they are for. */
  readonly version: number;
  readonly problems: readonly {
    readonly message: string;
    readonly start: Position;
    readonly fixes: readonly ConfigFix[];
  }[];
}

/** Client → server: the quick fixes of each problem of an open configuration, as the form shows them. */
export const listFixes = request<ConfigFixes>()(
  'lorafa/config/fixes',
  z.object({ uri: z.string() }),
);

/**
 * Client → server: the text of a configuration, changed to begin with an adapter and to leave out what that
 * decides.
 */
export const configWithAdapter = request<{ readonly text: string }>()(
  'lorafa/config/withAdapter',
  z.object({
    text: z.string(),
    /** As it is to stand in the text. */
    adapter: z.string().check(z.minLength(1)),
  }),
);

/** A mistake in a configuration, for which no run of it starts. */
export interface CheckedProblem {
  readonly message: string;
  /** The key or value; empty where the text is broken. */
  readonly path: readonly (string | number)[];
  readonly start: Position;
  readonly end: Position;
}

/** A way to go on where a run is in the way. */
export interface StartWay {
  readonly title: string;
  readonly detail: string;
  /** What changes in the text first; null if nothing. */
  readonly edit: TextChange | null;
  readonly step: 'start' | 'resume' | 'replace';
}

/** Whether a run of a configuration can be started. */
export interface RunCheck {
  readonly problems: readonly CheckedProblem[];
  /** The run that is in the output folder, and what can be done; null if none is. */
  readonly occupied: {
    readonly folder: string;
    readonly ways: readonly StartWay[];
  } | null;
}

/** Client → server: what is known against starting a configuration, as it is on disk. */
export const checkRun = request<RunCheck>()(
  'lorafa/runs/check',
  z.object({ configFile: z.string().check(z.minLength(1)) }),
);

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

/** Client → server: what was measured in a run, as CSV; see `runMetrics`. */
export const getRunMetrics = request<string>()('lorafa/runs/metrics', z.object({ folder }));

/** What of a run's folder goes with the run, and what stays. */
export interface RunFootprint {
  /** Bytes of all that goes. */
  readonly bytes: number;
  readonly checkpoints: number;
  /** What is not the run's and stays, as paths from its folder. */
  readonly others: readonly string[];
}

/**
 * Client → server: what {@link deleteRun} would remove, to ask before. Refused where that would be.
 */
export const measureRun = request<RunFootprint>()('lorafa/runs/measure', z.object({ folder }));

/**
 * Client → server: remove a run that has ended, with its checkpoints and its result. What somebody
 * else has put into its folder stays there. Answered with what was removed, and told by
 * {@link runGone}.
 */
export const deleteRun = request<Omit<RunFootprint, 'checkpoints'>>()(
  'lorafa/runs/delete',
  z.object({ folder }),
);

/**
 * Client → server: keep what people write about a run, in its folder. What is not given stays as it
 * is there: another window may have written it.
 */
export const annotateRun = request<RunSummary>()(
  'lorafa/runs/annotate',
  z.object({ folder, notes: runNotesChangeSchema }),
);

/** Client → server: give the folder of a run that has ended another name, beside where it lies. */
export const renameRun = request<RunSummary>()(
  'lorafa/runs/rename',
  z.object({ folder, name: z.string().check(z.minLength(1)) }),
);

/**
 * Client → server: make a checkpoint of a run that has ended the run's result, as if that had been
 * its last step. The run can still be resumed.
 */
export const finishRun = request<RunSummary>()(
  'lorafa/runs/finish',
  z.object({ folder, checkpoint: z.string().check(z.minLength(1)) }),
);

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

/** Server → client: a folder holds no run any more: it was deleted, moved or renamed. */
export const runGone = notification('lorafa/runs/gone', z.object({ folder: z.string() }));

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

/** How far the reading of the data of a preview is, and what became of the rows so far. */
export interface PreviewState {
  /** Of the data, 0 to 1. */
  readonly share: number;
  readonly isReading: boolean;
  readonly report: DatasetReport;
  /** Of an epoch over all rows that are used; null until all were read. */
  readonly padding: PaddingReport | null;
  /** Held-out rows that are learned as well; null until all were read. */
  readonly shared: IssueList | null;
  /** Why a run would be refused for its rows, as a sentence for people; null if for nothing. */
  readonly problem: string | null;
  /** Sentences about what is not shown, and how sets are mixed. */
  readonly notes: readonly string[];
  /** What is searched for, how many rows hold it so far, and the share of rows that was searched. */
  readonly search: { readonly text: string; readonly found: number; readonly share: number } | null;
}

/** Some rows as training sees them. */
export interface PreviewPage {
  /** How many rows come before the first of these. */
  readonly start: number;
  readonly examples: readonly ExamplePreview[];
}

/** Chosen by the client: names a preview in all messages about it. */
const preview = z.object({ id: z.string() });

/**
 * Client → server: read the data of a configuration, as it is on disk, for a preview, in a process
 * that ends with {@link closePreview}. {@link previewNews} tells how far it is, from the first rows
 * on. Answered when all is read or the request was cancelled (`$/cancelRequest`); the rows that were
 * read can be looked at all the same.
 */
export const readPreview = request<null>()(
  'lorafa/preview/read',
  z.extend(preview, { configFile: z.string().check(z.minLength(1)) }),
);

/** Server → client: how far the reading is, or the search. */
export const previewNews = notification(
  'lorafa/preview/news',
  z.extend(preview, { state: z.custom<PreviewState>() }),
);

/** Client → server: rows of a preview; while something is searched for, those that hold it. */
export const getPreviewRows = request<PreviewPage>()(
  'lorafa/preview/rows',
  z.extend(preview, {
    start: z.int().check(z.nonnegative()),
    count: z.int().check(z.gte(1), z.lte(100)),
  }),
);

/** Client → server: search the rows of a preview; an empty text shows all again. */
export const searchPreview = request<null>()(
  'lorafa/preview/search',
  z.extend(preview, { text: z.string() }),
);

/** Client → server: nobody looks at a preview any more, and its process ends. */
export const closePreview = request<null>()('lorafa/preview/close', preview);

/** The beginning of a data file, and what could be learned from its rows. */
export interface DataSample {
  /** Rows of the file, perhaps inferred from its beginning. */
  readonly count: number;
  readonly columns: readonly string[];
  /** Values of the first rows by column, as texts. */
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** How rows are read if nothing is said about columns; null where that cannot be told. */
  readonly recognised: string | null;
  /** What is probably to be learned; null where no column holds text. */
  readonly guess: ColumnMapping | null;
}

/** Client → server: the columns and first rows of a data file. */
export const sampleData = request<DataSample>()(
  'lorafa/data/sample',
  z.object({ file: z.string().check(z.minLength(1)) }),
);

/** Client → server: the columns of the data that a configuration names, as its text is now. */
export const listColumns = request<readonly string[]>()(
  'lorafa/data/columns',
  z.object({ configFile: z.string().check(z.minLength(1)), text: z.string() }),
);

/** What a run would take. */
export interface EstimateAnswer {
  readonly estimate: RunEstimate;
  /** How fast an earlier run trained the same model with the same settings; null if none did. */
  readonly earlier: EarlierSpeed | null;
}

/**
 * Client → server: what a run of a configuration, as it is on disk, would take: memory, steps,
 * parameters and tokens, from all of its data. {@link estimateProgress} tells how far it is.
 * Cancelled like any request (`$/cancelRequest`).
 */
export const estimateRun = request<EstimateAnswer>()(
  'lorafa/estimate',
  z.object({ configFile: z.string().check(z.minLength(1)) }),
);

/** Server → client: how far the estimate of a configuration is. */
export const estimateProgress = notification(
  'lorafa/estimate/progress',
  z.object({ configFile: z.string(), task: z.string(), done: z.number(), total: z.number() }),
);

/**
 * Client → server: the user's access token for the Hugging Face Hub, or that there is none. It is sent
 * past all traces, before anything is asked for and whenever it changes, and written nowhere.
 */
export const hubTokenGiven = notification(
  'lorafa/hub/token',
  z.object({ token: z.nullable(z.string()) }),
);

/** The proxy that VS Code is set to use, and the hosts that are reached without one. */
export interface ProxySetting {
  /** Null: that of the environment, if there is any. */
  readonly proxy: string | null;
  readonly except: readonly string[];
}

/** Client → server: how requests leave from now on. It is sent as {@link hubTokenGiven} is: an address may hold a password. */
export const proxyGiven = notification(
  'lorafa/hub/proxy',
  z.object({ proxy: z.nullable(z.string()), except: z.array(z.string()) }),
);

/** Client → server: the name of the account whose access token the server has. */
export const whoIsSignedIn = request<string>()('lorafa/hub/who', nothing);

/** Client → server: repositories of the Hugging Face Hub that can be trained on, by a part of their names. */
export const searchHub = request<readonly HubEntry[]>()(
  'lorafa/hub/search',
  z.object({
    kind: z.enum(['model', 'dataset']),
    text: z.string().check(z.minLength(1), z.maxLength(200)),
  }),
);

/** What is proposed to begin with: well-known models by size, and data. */
export interface Starters {
  readonly models: readonly Omit<StarterModel, 'config'>[];
  readonly data: readonly StarterData[];
}

/** Client → server: what is proposed to begin with, of which nobody is asked anything. */
export const listStarters = request<Starters>()('lorafa/hub/starters', nothing);

/** Client → server: what training a model of {@link listStarters} takes. Nobody is asked for that. */
export const estimateStarter = request<TrainingMemory>()(
  'lorafa/hub/starter',
  z.object({ name: z.string() }),
);

/** What it would be to train a model. */
export interface ModelOutlook {
  /** Bytes of weights that would be downloaded; 0 for a model that is here. */
  readonly download: number;
  readonly memory: TrainingMemory;
}

const named = z.object({ name: z.string().check(z.minLength(1)) });

/**
 * Client → server: what it would be to train a model, a path or a name on the Hub, of which no weight
 * is fetched for that. Refused for one that cannot be trained.
 */
export const lookAtModel = request<ModelOutlook>()('lorafa/hub/model', named);

/** A file of a model in the form of GGUF. */
export interface GgufEntry {
  readonly file: string;
  readonly bytes: number;
}

/** Client → server: the GGUF files of a model on the Hub that can be trained on. */
export const listGguf = request<readonly GgufEntry[]>()('lorafa/hub/gguf', named);

/** Client → server: the columns and first rows of data on the Hub, of which only these are fetched. */
export const lookAtData = request<DataSample>()('lorafa/hub/data', named);

/**
 * Client → server: bring a model of the Hub onto this machine. Answered with its path;
 * {@link downloadProgress} tells how far it is. Cancelled like any request (`$/cancelRequest`); what
 * has come is kept for the next time.
 */
export const downloadModel = request<string>()('lorafa/hub/download', named);

/** Server → client: how far the download of a model is, for people. */
export const downloadProgress = notification(
  'lorafa/hub/download/progress',
  z.extend(named, { text: z.string() }),
);

/**
 * Client → server: time a few real steps of a configuration, as it is on disk; what `lorafa measure
 * --json` prints. Cancelled like any request (`$/cancelRequest`), which ends the process.
 */
export const timeSteps = request<MeasuredSpeed>()(
  'lorafa/estimate/time',
  z.object({ configFile: z.string().check(z.minLength(1)) }),
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

/** Server → client: how far an export is, for people. */
export const exportProgress = notification(
  'lorafa/adapters/export/progress',
  z.object({ id: z.string(), text: z.string() }),
);

/** Client → server: weights that were unpacked or quantized, those that were used longest ago first. */
export const listWeightCache = request<readonly CacheEntry[]>()('lorafa/cache/list', nothing);

/** Client → server: remove those of them that no process uses. */
export const emptyWeightCache = request<EmptiedCache>()('lorafa/cache/empty', nothing);

/** Client → server: what this machine can do; what `lorafa doctor --json` prints. */
export const examineMachine = request<Readonly<Record<string, unknown>>>()(
  'lorafa/doctor',
  nothing,
);
