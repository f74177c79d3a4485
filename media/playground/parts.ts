import type {
  HistoryEntry,
  Side,
  Turn,
  Writer,
} from '../../extension/playground/playground-messages.ts';
import type { Sampling } from '../../extension/playground/sampling.ts';
import type { Generation } from '../../server/protocol/generation.ts';
import type { WantedAnswer, Writing } from './writing.ts';

/** Someone who writes, and what one calls it. */
export interface NamedWriter {
  readonly side: Side;
  /** Tells who writes from others: the base model and the adapter. */
  readonly id: string;
  readonly writer: Writer;
  /** What stands over its answers. */
  readonly title: string;
  /** What tells it from others in the history. */
  readonly name: string;
}

/** What an adapter's folder, or a base model, is called by now; undefined where nothing was picked. */
export type Subject = () => string | undefined;

/** What was asked and answered; with the turns of a conversation. */
export interface Tried extends Pick<HistoryEntry, 'question' | 'answers' | 'sampling'> {
  readonly turns?: readonly Turn[];
}

/** What the tabs of the playground work with. */
export interface PlaygroundParts {
  readonly writing: Writing;
  /** Those that are picked: the one beside first, the adapter last. */
  writers(): readonly NamedWriter[];
  /** How it is drawn by the settings above the tabs; undefined, which is said there, where they are not right. */
  sampling(): Sampling | undefined;
  /**
   * Lets them write as it is set above the tabs.
   *
   * @returns false where the {@link sampling} is not right, or something else has taken their place
   */
  write(prompt: Generation['prompt'], wanted: readonly WantedAnswer[]): Promise<boolean>;
  /** Whose history is shown: the adapter's that is picked, or the base model's. */
  subject(): Subject;
  /** Adds to the history of the one who was picked when it was asked. */
  remember(subject: Subject, tried: Tried): void;
  /** Keeps over a reload what there is. */
  keep(): void;
  /** The same after a key. */
  keepTyped(): void;
  onShowLogs(): void;
}
