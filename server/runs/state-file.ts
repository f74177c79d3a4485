import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod/mini';
import { writeFileAtomic } from '../../engine/files.ts';
import { RUN_FILES } from '../../engine/train/run-folder.ts';
import { runStatusSchema } from './run-status.ts';

/** How often a trainer refreshes the heartbeat in its state file, in milliseconds. */
export const HEARTBEAT_MS = 10_000;

const runStateFile = z.object({
  version: z.literal(1),
  /** The process that writes this file. */
  pid: z.number(),
  /** Name of the socket at which it listens (`connectLocally`); null after the end. */
  address: z.nullable(z.string()),
  /** The trainer protocol that it speaks. */
  protocolVersion: z.number(),
  /** When this was written, ISO 8601; at least every {@link HEARTBEAT_MS} while the run lives. */
  heartbeat: z.string(),
  /** When the run was asked for, ISO 8601: its place in the queue. */
  queued: z.string(),
  /** The configuration file that it was started with, for people: what counts is `run.json`. */
  configFile: z.nullable(z.string()),
  status: runStatusSchema,
});

/** Content of the state file in a run folder. */
export type RunStateFile = Readonly<z.infer<typeof runStateFile>>;

/** Replaces the state file of a run folder. Throws LorafaError `output.not_writable`. */
export function writeStateFile(folder: string, content: RunStateFile): Promise<void> {
  return writeFileAtomic(
    path.join(folder, RUN_FILES.state),
    `${JSON.stringify(content, null, 2)}\n`,
  );
}

/** Reads the state file of a run folder; undefined where there is none that can be understood. */
export async function readStateFile(folder: string): Promise<RunStateFile | undefined> {
  try {
    const text = await readFile(path.join(folder, RUN_FILES.state), 'utf8');
    return runStateFile.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
