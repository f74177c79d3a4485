import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type JournalEntry, parseJournalLine } from '../../engine/train/journal-entry.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';

/** The numbers of a step that do not depend on the machine. */
export type StepFacts = Readonly<
  Record<'step' | 'loss' | 'grad_norm' | 'learning_rate' | 'num_tokens', number>
>;

/** The steps in the journal of a run, in order; of one that was done twice, the last time. */
export async function readSteps(folder: string): Promise<readonly StepFacts[]> {
  const steps = new Map<number, StepFacts>();
  for (const entry of await readJournal(folder)) {
    if (entry.type !== 'step') continue;
    const { step, loss, grad_norm, learning_rate, num_tokens } = entry;
    steps.set(step, { step, loss, grad_norm, learning_rate, num_tokens });
  }
  return [...steps.values()].toSorted((a, b) => a.step - b.step);
}

/** All whole entries of a run's journal. */
export async function readJournal(folder: string): Promise<readonly JournalEntry[]> {
  const text = await readFile(path.join(folder, RUN_FILES.journal), 'utf8');
  // A line that a kill cut off, or that is not written whole yet, says nothing.
  const entries = text.split('\n').map(parseJournalLine);
  return entries.filter((entry) => typeof entry === 'object');
}

/** How often a run has come to its first step. */
export async function countSessions(folder: string): Promise<number> {
  const journal = await readJournal(folder).catch(() => []);
  return journal.filter(({ type }) => type === 'started').length;
}
