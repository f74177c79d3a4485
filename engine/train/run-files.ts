import { REPORTS_FOLDER } from '../report/report-folder.ts';
import { isPartialCheckpoint } from './checkpoint-folders.ts';
import { LOCK_FILE } from './run-lock.ts';
import { RECORD_FILE } from './run-record.ts';

/** Names inside a run folder. The folder is the truth: all that is shown of a run comes from it. */
export const RUN_FILES = {
  /** The resolved configuration that the run really uses; see `RunRecord`. */
  config: RECORD_FILE,
  /** One `JournalEntry` a line, only ever appended to. */
  journal: 'events.jsonl',
  /** What its model was trained on, and can be tried on; see `run-examples.ts`. */
  examples: 'examples.json',
  /** Where a run in a process of its own stands (`server/trainer/state-file.ts`). */
  state: 'state.json',
  /** What that process and its libraries have to say, one message a line. */
  log: 'run.log',
  /** What people wrote about the run (`server/runs/run-notes.ts`). */
  notes: 'notes.json',
  /** Which process may write here; see `RunLock`. */
  lock: LOCK_FILE,
} as const;

/** What may be there before the run itself takes the folder into use. */
export const EARLY_FILES: ReadonlySet<string> = new Set([
  RUN_FILES.state,
  RUN_FILES.log,
  RUN_FILES.notes,
  RUN_FILES.lock,
  REPORTS_FOLDER,
]);

/** Whether an entry of a run folder is being written or removed, or was when a process ended. */
export function isUnfinished(name: string): boolean {
  return /^\..*\.tmp$/.test(name) || isPartialCheckpoint(name);
}
