import type { FoundModel, GenerationAnswer, ModelChoice } from '../../server/protocol.ts';
import type { UsableAdapter } from '../models/model-catalog.ts';
import type { Sampling } from './sampling.ts';

/** Whose text it is: that of the base model with the adapter, or of the base model alone. */
export type Side = 'adapter' | 'base';

/** What the extension tells the playground. */
export type PlaygroundNews =
  | CatalogNews
  | { readonly type: 'problem'; readonly message: string }
  /** A prompt to begin with. */
  | { readonly type: 'prompt'; readonly prompt: string }
  /** The model of a side is being loaded; `share` from 0 to 1. */
  | { readonly type: 'loading'; readonly side: Side; readonly share: number }
  | { readonly type: 'piece'; readonly side: Side; readonly text: string }
  | { readonly type: 'done'; readonly side: Side; readonly answer: GenerationAnswer }
  | { readonly type: 'failed'; readonly side: Side; readonly message: string };

/** What can be picked. */
export interface CatalogNews {
  readonly type: 'catalog';
  readonly models: readonly FoundModel[];
  readonly adapters: readonly UsableAdapter[];
  /** Folder of the adapter to pick now; null leaves the user's choice. */
  readonly picked: string | null;
}

/** What the playground asks of the extension. */
export type PlaygroundRequest =
  /** Its script runs, or the user wants to see new models. */
  { readonly type: 'catalog' } | GenerateRequest | { readonly type: 'stop' };

/** Let both sides write, or one of them. */
export interface GenerateRequest extends ModelChoice {
  readonly type: 'generate';
  /** Folder; null for the base model alone. */
  readonly adapter: string | null;
  readonly sides: readonly Side[];
  readonly mode: PromptMode;
  readonly prompt: string;
  readonly sampling: Sampling;
}

/** As a user's turn through the model's chat template, or as a text to continue. */
export type PromptMode = 'chat' | 'raw';

/** What the page keeps over a reload of the window. */
export interface PlaygroundState {
  readonly model: string;
  readonly device: string;
  /** Empty for none. */
  readonly adapter: string;
  readonly isCompared: boolean;
  readonly mode: PromptMode;
  readonly prompt: string;
  /** As they were typed. */
  readonly sampling: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Partial<Record<Side, OutputState>>>;
}

/** What a side shows. */
export interface OutputState {
  readonly text: string;
  /** One line about it: how it ended, how fast it was. */
  readonly status: string;
}
