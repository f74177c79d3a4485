import path from 'node:path';
import * as z from 'zod/mini';
import { codeOf, readBoundedFile } from '../../engine/bounded-file.ts';
import { messageOf } from '../../engine/errors.ts';
import { overwriteFile, writeFileAtomic } from '../../engine/files/atomic-file.ts';
import { isDiskFull } from '../../engine/files/not-writable.ts';
import { JsonError, parseJson } from '../../engine/json.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { isFinal, runStatusSchema, timeSchema } from './run-status.ts';

/** How often a trainer refreshes the heartbeat in its state file, in milliseconds. */
export const HEARTBEAT_MS = 10_000;

/** Many times what a state takes. */
const MAX_BYTES = 2 ** 20;

const runStateFile = z.object({
  version: z.literal(1),
  /** The process that writes this file. */
  pid: z.int().check(z.positive()),
  /** Name of the socket at which it listens (`connectLocally`); null after the end. */
  address: z.nullable(z.string()),
  /** The trainer protocol that it speaks. */
  protocolVersion: z.int(),
  /** When this was written; at least every {@link HEARTBEAT_MS} while the run lives. */
  heartbeat: timeSchema,
  /** When the run was asked for: its place in the queue. */
  queued: timeSchema,
  /** The configuration file that it was started with, for people: what counts is `run.json`. */
  configFile: z.nullable(z.string()),
  status: runStatusSchema,
});

/** Content of the state file in a run folder. */
export type RunStateFile = Readonly<z.infer<typeof runStateFile>>;

/**
 * Replaces the state file of a run folder. On a full disk the end of a run is written over what was
 * there, so that the folder says why the run ended.
 *
 * @throws LorafaError `output.not_writable`
 */
export async function writeStateFile(folder: string, content: RunStateFile): Promise<void> {
  const file = path.join(folder, RUN_FILES.state);
  const text = `${JSON.stringify(content, null, 2)}\n`;
  try {
    await writeFileAtomic(file, text);
  } catch (error) {
    if (!isDiskFull(error) || !isFinal(content.status.state)) throw error;
    await overwriteFile(file, text);
  }
}

/** What was found under the name of a state file. */
export interface FoundState {
  /** Undefined where there is none that can be understood. */
  readonly content: RunStateFile | undefined;
  /** Why one that is there cannot be understood, as a sentence for people; null if it can. */
  readonly problem: string | null;
}

/** Looks for the state file of a run folder, which anybody may have written. */
export async function findStateFile(folder: string): Promise<FoundState> {
  let value: unknown;
  try {
    const bytes = await readBoundedFile(path.join(folder, RUN_FILES.state), MAX_BYTES, 'refuse');
    value = parseJson(bytes.toString('utf8'));
  } catch (error) {
    // ENOTDIR: a file lies where the folder should be.
    const isMissing = ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');
    const cause = `${error instanceof JsonError ? 'it ' : ''}${messageOf(error)}`;
    return { content: undefined, problem: isMissing ? null : problemOf(cause) };
  }
  const parsed = runStateFile.safeParse(value);
  if (parsed.success) return { content: parsed.data, problem: null };
  const field = parsed.error.issues[0]!.path.join('.');
  const cause = field === '' ? 'it is not a state' : `"${field}" is missing or wrong`;
  return { content: undefined, problem: problemOf(cause) };
}

/** Reads the state file of a run folder; undefined where there is none that can be understood. */
export async function readStateFile(folder: string): Promise<RunStateFile | undefined> {
  return (await findStateFile(folder)).content;
}

function problemOf(cause: string): string {
  return `${RUN_FILES.state} cannot be read: ${cause}.`;
}
