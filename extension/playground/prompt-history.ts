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
  readonly entries: readonly HistoryEntry[];
}

/** What was tried with each adapter, kept with the workspace from one session to the next. */
export class PromptHistory {
  readonly #memory: vscode.Memento;

  constructor(memory: vscode.Memento) {
    this.#memory = memory;
  }

  /** The latest first. */
  entries(subject: string): readonly HistoryEntry[] {
    return this.#subjects.find((each) => each.subject === subject)?.entries ?? [];
  }

  async add(subject: string, entry: HistoryEntry): Promise<void> {
    const earlier = this.entries(subject).filter((each) => !isBeginningOf(each, entry));
    const entries = [shortened(entry), ...earlier].slice(0, ENTRIES);
    const others = this.#subjects.filter((each) => each.subject !== subject);
    await this.#memory.update(KEY, [{ subject, entries }, ...others].slice(0, SUBJECTS));
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
    const moved = this.#subjects.map(({ subject, entries }) => {
      const now = movedPath(subject, move);
      return { subject: now, entries, isMoved: now !== subject };
    });
    const taken = new Set(moved.filter(({ isMoved }) => isMoved).map(({ subject }) => subject));
    const subjects = moved
      .filter(({ subject, isMoved }) => isMoved || !taken.has(subject))
      .map(({ subject, entries }) => ({ subject, entries }));
    await this.#memory.update(KEY, subjects);
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
