import path from 'node:path';
import {
  type JournalEntry,
  MAX_ENTRY_BYTES,
  parseJournalLine,
} from '../../engine/train/journal-entry.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { LineTail, type TailLine } from './line-tail.ts';

/**
 * Reads the journal of a run folder as it grows, each entry once. What is damaged is left out and
 * counted; entries that a later version wrote are left out in silence.
 */
export class JournalReader {
  readonly #tail: LineTail;
  #lastLine = 0;
  #firstDamaged: number | undefined;
  #damaged = 0;

  constructor(folder: string) {
    this.#tail = new LineTail(path.join(folder, RUN_FILES.journal), MAX_ENTRY_BYTES);
  }

  /** What is wrong with what was read so far, as a sentence for people; null if nothing. */
  get problem(): string | null {
    if (this.#tail.problem !== null) {
      return `${RUN_FILES.journal} cannot be read: ${this.#tail.problem}.`;
    }
    const { endless } = this.#tail;
    const first = this.#firstDamaged ?? endless;
    if (first === undefined) return null;
    const line = `${RUN_FILES.journal} line ${first}`;
    const others = this.#damaged + (endless === undefined ? 0 : 1) - 1;
    return others === 0
      ? `${line} is damaged and was left out.`
      : `${line} and ${others} more are damaged and were left out.`;
  }

  /** Yields what came since the last call, in pieces that fit in memory. */
  async *read(): AsyncGenerator<readonly JournalEntry[], void> {
    for await (const lines of this.#tail.read()) {
      const entries = lines.map((line) => this.#parse(line)).filter((entry) => entry !== undefined);
      if (entries.length > 0) yield entries;
    }
  }

  #parse({ number, text }: TailLine): JournalEntry | undefined {
    // The file was replaced, and is read from its start again.
    if (number <= this.#lastLine) {
      this.#firstDamaged = undefined;
      this.#damaged = 0;
    }
    this.#lastLine = number;
    const entry = text === undefined ? 'damaged' : parseJournalLine(text);
    if (entry === 'later') return undefined;
    if (entry !== 'damaged') return entry;
    this.#firstDamaged ??= number;
    this.#damaged += 1;
    return undefined;
  }
}
