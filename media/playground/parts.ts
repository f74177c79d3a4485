import type {
  HistoryEntry,
  Side,
  Turn,
  Writer,
} from '../../extension/playground/playground-messages.ts';
import type { Generation } from '../../server/protocol/generation.ts';
import type { WantedAnswer, Writing } from './writing.ts';

/** Someone who writes, and what one calls it. */
export interface NamedWriter {
  readonly side: Side;
  /** Tells who writes from others: the base model and the adapter. */
  readonly id: string;
  readonly writer: Writer;
  readonly title: string;
}

/** What was asked and answered; with the turns of a conversation. */
export interface Tried extends Pick<HistoryEntry, 'question' | 'answers'> {
  readonly turns?: readonly Turn[];
}

/** What the tabs of the playground work with. */
export interface PlaygroundParts {
  readonly writing: Writing;
  /** Those that are picked: the one beside first, the adapter last. */
  writers(): readonly NamedWriter[];
  /**
   * Lets them write as it is set above the tabs.
   *
   * @returns how it ended: `refused` where the settings are not right, which is said there; `replaced` where something
   * else has taken their place
   */
  write(
    prompt: Generation['prompt'],
    wanted: readonly WantedAnswer[],
  ): Promise<'done' | 'refused' | 'replaced'>;
  /** Whose history is shown: the adapter's that is picked, or the base model's; undefined without one. */
  subject(): string | undefined;
  /** Adds to the history of the one who was picked when it was asked. */
  remember(subject: string | undefined, tried: Tried): void;
  /** Keeps over a reload what there is. */
  keep(): void;
  onShowLogs(): void;
}
