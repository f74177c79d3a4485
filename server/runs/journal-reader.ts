import path from 'node:path';
import {
  type JournalEntry,
  MAX_ENTRY_BYTES,
  parseJournalLine,
} from '../../engine/train/journal-entry.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { LineTail, type TailLine } from './line-tail.ts';

/** A step as a run writes it, which is what nearly all lines are. */
const PLAIN_STEP =
  /^\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","type":"step"(?:,"[a-zA-Z_]+":-?\d[\d.e+-]*)+\}$/;

/** How a journal is read. */
export interface JournalReading {
  /** Of steps that follow each other, hand on the last: the others cost a fraction of the time. */
  readonly skimsSteps?: boolean;
}

/**
 * Reads the journal of a run folder as it grows, each entry once. What is damaged is left out and
 * counted; entries that a later version wrote are left out in silence, and so is a last line that the
 * end of its session cut off (a kill, a full disk), once the next session has begun.
 */
export class JournalReader {
  readonly #tail: LineTail;
  readonly #skimsSteps: boolean;
  #lastLine = 0;
  #restarts = 0;
  #firstDamaged: number | undefined;
  #lastDamaged: number | undefined;
  #damaged = 0;

  constructor(folder: string, { skimsSteps = false }: JournalReading = {}) {
    this.#tail = new LineTail(path.join(folder, RUN_FILES.journal), MAX_ENTRY_BYTES);
    this.#skimsSteps = skimsSteps;
  }

  /** How often the file was replaced: what was handed on before counts no more. */
  get restarts(): number {
    return this.#restarts;
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
      const wanted = this.#skimsSteps ? skimmed(lines) : lines;
      const entries = wanted
        .map((line) => this.#parse(line))
        .filter((entry) => entry !== undefined);
      if (entries.length > 0) yield entries;
    }
  }

  #parse({ number, text }: TailLine): JournalEntry | undefined {
    // The file was replaced, and is read from its start again.
    if (number <= this.#lastLine) {
      this.#firstDamaged = undefined;
      this.#damaged = 0;
      this.#restarts += 1;
    }
    this.#lastLine = number;
    const entry = text === undefined ? 'damaged' : parseJournalLine(text);
    if (entry === 'later') return undefined;
    if (entry === 'damaged') {
      this.#firstDamaged ??= number;
      this.#lastDamaged = number;
      this.#damaged += 1;
      return undefined;
    }
    if (entry.type === 'started' && this.#lastDamaged === number - 1) this.#forgive(number - 1);
    return entry;
  }

  /** Counts a line no more that was cut off. */
  #forgive(number: number): void {
    if (this.#firstDamaged === number) this.#firstDamaged = undefined;
    this.#lastDamaged = undefined;
    this.#damaged -= 1;
  }
}

/** All lines but steps that another step follows. */
function skimmed(lines: readonly TailLine[]): readonly TailLine[] {
  const wanted: TailLine[] = [];
  let step: TailLine | undefined;
  for (const line of lines) {
    const isStep = line.text !== undefined && PLAIN_STEP.test(line.text);
    if (!isStep && step !== undefined) wanted.push(step);
    step = isStep ? line : undefined;
    if (!isStep) wanted.push(line);
  }
  return step === undefined ? wanted : [...wanted, step];
}
