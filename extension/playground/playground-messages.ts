import type {
  Generation,
  GenerationAnswer,
  ModelChoice,
} from '../../server/protocol/generation.ts';
import type { AdapterTraining, FoundModel } from '../../server/protocol/models.ts';
import type { OfferedDevice } from '../doctor/offered-device.ts';
import type { FolderMove } from '../folder-move.ts';
import type { UsableAdapter } from '../models/model-catalog.ts';
import type { Sampling } from './sampling.ts';

/** What the extension tells the playground. */
export type PlaygroundNews =
  | CatalogNews
  /** The devices of this machine; none while they are not known. */
  | { readonly type: 'devices'; readonly devices: readonly OfferedDevice[] }
  | { readonly type: 'problem'; readonly message: string }
  /** A prompt to begin with. */
  | { readonly type: 'prompt'; readonly prompt: string }
  /** The way of trying to begin with, and whether what is typed there is what comes next. */
  | { readonly type: 'tab'; readonly tab: PlaygroundTab }
  | ({ readonly type: 'moved' } & FolderMove)
  | TrainingNews
  | ChatNews
  | HistoryNews
  /** The model of a text is being loaded; `share` from 0 to 1. */
  | { readonly type: 'loading'; readonly slot: string; readonly share: number }
  | { readonly type: 'piece'; readonly slot: string; readonly text: string }
  | { readonly type: 'done'; readonly slot: string; readonly answer: GenerationAnswer }
  | { readonly type: 'failed'; readonly slot: string; readonly message: string };

/** The ways of trying a model. */
export type PlaygroundTab = 'prompt' | 'table' | 'chat';

/** What can be picked. */
export interface CatalogNews {
  readonly type: 'catalog';
  readonly models: readonly FoundModel[];
  readonly adapters: readonly UsableAdapter[];
  /** Folder of the adapter to pick now; null leaves the user's choice. */
  readonly picked: string | null;
  /** Whether base models were looked for too, which nobody does because a run has written a checkpoint. */
  readonly isWhole: boolean;
}

/** What an adapter was trained on; null where its folder does not tell. */
export interface TrainingNews {
  readonly type: 'training';
  /** Its folder. */
  readonly adapter: string;
  readonly training: AdapterTraining | null;
}

/** Whether a conversation can be put to a model; null: nobody knows. */
export interface ChatNews extends ChatSubject {
  readonly type: 'chat';
  readonly hasTemplate: boolean | null;
}

/** A base model with an adapter, or alone. */
export interface ChatSubject {
  readonly model: string;
  /** Folder; null for the base model alone. */
  readonly adapter: string | null;
}

/** What was tried with an adapter, or with a base model alone, the latest first. */
export interface HistoryNews {
  readonly type: 'history';
  /** See {@link HistoryRequest}. */
  readonly subject: string;
  readonly entries: readonly HistoryEntry[];
}

/** What the playground asks of the extension. */
export type PlaygroundRequest =
  /** Its script runs, or the user wants to see new models. */
  | { readonly type: 'catalog' }
  | GenerateRequest
  | { readonly type: 'stop' }
  /** Whether one can chat with this. */
  | ({ readonly type: 'chat' } & ChatSubject)
  | { readonly type: 'showLogs' }
  | HistoryRequest;

/** Look at, add to or forget the history of an adapter's folder, or of a base model alone. */
export interface HistoryRequest {
  readonly type: 'history';
  readonly subject: string;
  readonly change: HistoryEntry | 'clear' | null;
}

/** Let some models write on one prompt; another request ends what is being written. */
export interface GenerateRequest extends Pick<ModelChoice, 'model' | 'device'> {
  readonly type: 'generate';
  readonly texts: readonly WantedText[];
  readonly prompt: Generation['prompt'];
  readonly sampling: Sampling;
}

/** One text of a {@link GenerateRequest}. */
export interface WantedText extends Writer {
  /** Names it in the news about it. */
  readonly slot: string;
}

/** Who writes: the base model with an adapter, or alone. */
export interface Writer extends Pick<ModelChoice, 'quantization'> {
  /** Folder; null for the base model alone. */
  readonly adapter: string | null;
}

/** A turn of a conversation. */
export interface Turn {
  readonly role: string;
  readonly content: string;
}

/** As a user's turn through the model's chat template, or as a text to continue. */
export type PromptMode = 'chat' | 'raw';

/** A prompt as the page shows it, and what is expected of it. */
export interface Question {
  readonly mode: PromptMode;
  /** Turns before the prompt. */
  readonly context: readonly Turn[];
  readonly prompt: string;
  /** Null where nobody knows. */
  readonly expected: string | null;
}

/** A question that was answered, or a conversation (whose question is its first one). */
export interface HistoryEntry {
  /** ISO 8601. */
  readonly time: string;
  readonly question: Question;
  readonly answers: readonly { readonly writer: string; readonly text: string }[];
  /** How it was drawn; undefined where nobody has kept it. */
  readonly sampling?: Sampling | undefined;
  /** The turns of a conversation; empty for a question. */
  readonly turns: readonly Turn[];
}

/** What the page keeps over a reload of the window. */
export interface PlaygroundState {
  readonly model: string;
  readonly device: string;
  /** Empty for none. */
  readonly adapter: string;
  /** Whom one sees beside the adapter: `none`, `base`, or the folder of another adapter. */
  readonly beside: string;
  readonly tab?: string;
  readonly question: Question;
  /** What the outputs are answers to: the question may have changed since. */
  readonly answered: Question;
  /** As they were typed. */
  readonly sampling: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Partial<Record<Side, AnswerState>>>;
  readonly rows: readonly TableRow[];
  /** The one that was looked at last at the end. */
  readonly conversations: readonly ConversationState[];
  /** What is typed in the chat and not sent. */
  readonly draft: string;
}

/** A conversation with one writer. */
export interface ConversationState {
  /** See `NamedWriter`. */
  readonly writer: string;
  /** Those that were answered, with their answers. */
  readonly turns: readonly Turn[];
  readonly unanswered?: Unanswered | undefined;
}

/** A message that has no answer, and what came instead of one. */
export interface Unanswered {
  readonly message: string;
  readonly answer: AnswerState;
}

/** Where a text stands when two are written side by side. */
export type Side = 'beside' | 'adapter';

/** A question of the table, and what was answered. */
export interface TableRow {
  readonly question: Question;
  readonly answers: Readonly<Partial<Record<Side, AnswerState>>>;
}

/** What a text shows. */
export interface AnswerState {
  readonly text: string;
  /** One line about it: how it ended, how fast it was. */
  readonly status: string;
  /** Who wrote it; undefined where nobody has. */
  readonly by?: string | undefined;
  /** Whether it ended with an error. */
  readonly hasFailed?: boolean;
}
