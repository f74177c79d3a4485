import { lstat, opendir } from 'node:fs/promises';
import path from 'node:path';
import { isTemporaryName } from '../../engine/files/temporary-name.ts';
import { STAGING_FOLDER } from '../../engine/lora/save-adapter.ts';
import { REPORTS_FOLDER, reportPart } from '../../engine/report/report-folder.ts';
import { isCheckpointName, isPartialCheckpoint } from '../../engine/train/checkpoint-folders.ts';
import { OPTIMIZER_FILE, RESULT_FILES } from '../../engine/train/result-files.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { findRunRecord, type RunRecord } from '../../engine/train/run-record.ts';
import { STATE_FILE } from '../../engine/train/trainer-state.ts';

/** The files by which a folder is told for that of a run, in the order in which they may go. */
const RECORD_FILES: readonly string[] = [
  RUN_FILES.notes,
  RUN_FILES.log,
  RUN_FILES.examples,
  RUN_FILES.config,
  RUN_FILES.journal,
  RUN_FILES.state,
];

/** What of a folder belongs to what it is the folder of, and what somebody else has put there. */
export interface FolderContents {
  /** Paths of files and of whole folders. */
  readonly own: readonly string[];
  /** Bytes that they take. */
  readonly bytes: number;
  /** What else there is, links among it: paths from the folder. */
  readonly others: readonly string[];
}

/** What of a run folder is the run's; the files by which it is told for one come last. */
export interface RunContents extends FolderContents {
  /** How many of what is its own are checkpoints. */
  readonly checkpoints: number;
}

/** Something in a folder. */
interface Entry {
  readonly path: string;
  readonly name: string;
  readonly isFile: boolean;
  readonly isFolder: boolean;
  readonly bytes: number;
}

/**
 * Looks at all that is in a run folder. Only what a run writes is the run's: names that it gives, and
 * neither links nor what lies behind them. The lock is nobody's.
 *
 * @throws Node's own error where the folder cannot be read
 */
export async function runContents(folder: string): Promise<RunContents> {
  const record = await findRunRecord(folder);
  const results = resultNames(record);
  const id = record?.tracked?.id;
  const inCheckpoint = new Set([...results, OPTIMIZER_FILE, STATE_FILE]);
  const inRun = new Set([...results, ...RECORD_FILES]);
  const found = { own: [] as string[], records: [] as string[], others: [] as string[] };
  let [bytes, checkpoints] = [0, 0];
  for await (const entry of entriesOf(folder)) {
    const { name } = entry;
    if (name === RUN_FILES.lock) continue;
    const isLeftover = isTemporaryName(name) || name === STAGING_FOLDER;
    if (entry.isFolder && (isCheckpointName(name) || isPartialCheckpoint(name))) {
      const part = await folderContents(entry.path, inCheckpoint);
      found.own.push(...part.own);
      found.others.push(...part.others.map((other) => path.join(name, other)));
      bytes += part.bytes;
      checkpoints += 1;
    } else if (entry.isFolder && name === REPORTS_FOLDER) {
      const part = await reportContents(entry, id);
      found.own.push(...part.own);
      found.others.push(...part.others);
      bytes += part.bytes;
    } else if (entry.isFolder ? isLeftover : entry.isFile && (isLeftover || inRun.has(name))) {
      (RECORD_FILES.includes(name) ? found.records : found.own).push(entry.path);
      bytes += entry.isFolder ? await bytesBelow(entry.path) : entry.bytes;
    } else {
      found.others.push(name);
    }
  }
  const place = (file: string): number => RECORD_FILES.indexOf(path.basename(file));
  const records = found.records.toSorted((a, b) => place(a) - place(b));
  return { own: [...found.own, ...records], checkpoints, bytes, others: found.others.toSorted() };
}

/**
 * Looks at a folder of files that are known by their names, as a checkpoint is; with nothing else in it, it is
 * one's own as a whole.
 *
 * @param isOwn false for a folder that stays, whatever is left in it
 * @throws Node's own error where it cannot be read
 */
export async function folderContents(
  folder: string,
  known: ReadonlySet<string>,
  isOwn = true,
): Promise<FolderContents> {
  const own: string[] = [];
  const others: string[] = [];
  let bytes = 0;
  for await (const entry of entriesOf(folder)) {
    if (entry.isFile && (known.has(entry.name) || isTemporaryName(entry.name))) {
      own.push(entry.path);
      bytes += entry.bytes;
    } else if (entry.name !== STAGING_FOLDER || !entry.isFolder) {
      others.push(entry.name);
    }
  }
  return { own: isOwn && others.length === 0 ? [folder] : own, bytes, others };
}

/**
 * What the run is reported in. Others may report into it too, or show from it what is theirs.
 *
 * @param names the way to the folder from that of the reports
 */
async function reportContents(
  { path: folder }: Entry,
  id: string | undefined,
  names: readonly string[] = [],
): Promise<FolderContents> {
  const own: string[] = [];
  const others: string[] = [];
  let bytes = 0;
  for await (const entry of entriesOf(folder)) {
    const place = [...names, entry.name];
    const part = reportPart(place, id);
    if (part === 'shared' && entry.isFolder) {
      const inside = await reportContents(entry, id, place);
      own.push(...inside.own);
      others.push(...inside.others);
      bytes += inside.bytes;
    } else if (part === 'of the run' && (entry.isFolder || entry.isFile)) {
      own.push(entry.path);
      bytes += entry.isFolder ? await bytesBelow(entry.path) : entry.bytes;
    } else if (part !== 'scaffold') {
      others.push(path.join(REPORTS_FOLDER, ...place));
    }
  }
  return { own: others.length === 0 ? [folder] : own, bytes, others };
}

/** The names of what the run makes; a run whose record cannot be read may be one of any kind. */
function resultNames(record: RunRecord | undefined): readonly string[] {
  return record?.config.training.method === 'full' ? RESULT_FILES.model : RESULT_FILES.adapter;
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for await (const entry of entriesOf(folder)) {
    bytes += entry.isFolder ? await bytesBelow(entry.path) : entry.bytes;
  }
  return bytes;
}

/** What is in a folder; what vanishes meanwhile is not. */
async function* entriesOf(folder: string): AsyncGenerator<Entry, void> {
  for await (const { name } of await opendir(folder)) {
    const file = path.join(folder, name);
    const found = await lstat(file).catch(() => undefined);
    if (found === undefined) continue;
    const [isFile, isFolder] = [found.isFile(), found.isDirectory()];
    yield { path: file, name, isFile, isFolder, bytes: isFile ? found.size : 0 };
  }
}
