import type * as vscode from 'vscode';
import { type FolderMove, movedPath } from '../folder-move.ts';
import type { HistoryEntry, Turn } from './playground-messages.ts';

const KEY = 'lorafa.playground.history';
/** Entries of one adapter, and adapters: the latest of each. */
const ENTRIES = 30;
const SUBJECTS = 20;
/** Characters of a text that is kept. */
const LONGEST = 4_000;

interface Subject {
  readonly subject: string;
  /** When its folder was made; undefined where nobody could tell. */
  readonly born?: number | undefined;
  readonly entries: readonly HistoryEntry[];
}

/**
 * What was tried with each adapter, kept with the workspace from one session to the next. Of one that was deleted it is not
 * that of another one at the same path, which is told by when their folders were made.
 */
export class PromptHistory {
  readonly #memory: vscode.Memento;

  constructor(memory: vscode.Memento) {
    this.#memory = memory;
  }

  /**
   * The latest first.
   *
   * @param born when its folder was made, in any unit; undefined where nobody can tell, which is as good as any
   */
  entries(subject: string, born?: number): readonly HistoryEntry[] {
    return this.#find(subject, born)?.entries ?? [];
  }

  /** @param born see {@link entries} */
  async add(subject: string, entry: HistoryEntry, born?: number): Promise<void> {
    const known = this.#find(subject, born);
    const earlier = (known?.entries ?? []).filter((each) => !isBeginningOf(each, entry));
    const own = {
      subject,
      born: born ?? known?.born,
      entries: [shortened(entry), ...earlier].slice(0, ENTRIES),
    };
    const others = this.#subjects.filter((each) => each.subject !== subject);
    await this.#memory.update(KEY, [own, ...others].slice(0, SUBJECTS));
  }

  async clear(subject: string): Promise<void> {
    await this.#memory.update(
      KEY,
      this.#subjects.filter((each) => each.subject !== subject),
    );
  }

  /**
   * An adapter's folder has another name, or that of the run whose checkpoint it is; what there is of one that had the
   * name before goes.
   */
  async move(move: FolderMove): Promise<void> {
    const moved = this.#subjects.map((each) => {
      const now = movedPath(each.subject, move);
      return { ...each, subject: now, isMoved: now !== each.subject };
    });
    const taken = new Set(moved.filter(({ isMoved }) => isMoved).map(({ subject }) => subject));
    const subjects = moved
      .filter(({ subject, isMoved }) => isMoved || !taken.has(subject))
      .map(({ isMoved: _, ...each }) => each);
    await this.#memory.update(KEY, subjects);
  }

  #find(subject: string, born: number | undefined): Subject | undefined {
    return this.#subjects.find(
      (each) =>
        each.subject === subject &&
        (born === undefined || each.born === undefined || each.born === born),
    );
  }

  get #subjects(): readonly Subject[] {
    return this.#memory.get<readonly Subject[]>(KEY, []);
  }
}

/** Whether a conversation has gone on as another entry. */
function isBeginningOf({ turns }: HistoryEntry, { turns: longer }: HistoryEntry): boolean {
  const isSame = (turn: Turn, index: number): boolean =>
    turn.content === longer[index]?.content.slice(0, LONGEST);
  return turns.length > 0 && turns.length < longer.length && turns.every(isSame);
}

function shortened({ time, question, answers, sampling, turns }: HistoryEntry): HistoryEntry {
  const cut = (text: string): string => text.slice(0, LONGEST);
  return {
    time,
    question: {
      ...question,
      prompt: cut(question.prompt),
      expected: question.expected && cut(question.expected),
    },
    answers: answers.map(({ writer, text }) => ({ writer, text: cut(text) })),
    sampling: sampling && { ...sampling, stop: sampling.stop.map(cut) },
    turns: turns.map(({ role, content }) => ({ role, content: cut(content) })),
  };
}
