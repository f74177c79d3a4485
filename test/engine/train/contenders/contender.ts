import { readlink, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LorafaError } from '../../../../engine/errors.ts';
import { lifeOf } from '../../../../engine/process-mark.ts';
import { RunLock } from '../../../../engine/train/run-lock.ts';

/**
 * A process that wants the lock of a folder. Told a folder, it tries until it had the lock once,
 * works for a moment in what only one process may be in at a time, and lets go.
 */
export interface Round {
  readonly folder: string;
  /** How long to hold the lock, in milliseconds. */
  readonly holdMs: number;
}

/** What it says of a round. */
export interface RoundReport {
  /** Tries that found the lock held. */
  readonly refusals: number;
  /** What it found that must never be; null when all was right. */
  readonly violation: string | null;
}

process.on('message', (round: Round) => void contend(round));

async function contend({ folder, holdMs }: Round): Promise<void> {
  let refusals = 0;
  for (;;) {
    const lock = await acquire(folder);
    if (lock === undefined) {
      refusals += 1;
      await delay(1 + Math.random() * 5);
      continue;
    }
    const violation = await workAlone(folder, holdMs);
    await lock.release();
    process.send!({ refusals, violation } satisfies RoundReport);
    return;
  }
}

async function acquire(folder: string): Promise<RunLock | undefined> {
  try {
    return await RunLock.acquire(folder);
  } catch (error) {
    if (error instanceof LorafaError && error.code === 'output.in_use') return undefined;
    throw error;
  }
}

/** Where one process is at a time; what one that was killed left there is no violation. */
async function workAlone(folder: string, holdMs: number): Promise<string | null> {
  // A link is made together with its content.
  const room = path.join(folder, 'room');
  const self = String(process.pid);
  while (
    !(await symlink(self, room).then(
      () => true,
      () => false,
    ))
  ) {
    const other = await readlink(room);
    if (await isRunning(Number(other))) return `${self} met ${other}`;
    await rm(room);
  }
  await delay(holdMs);
  const inside = await readlink(room).catch(() => 'nobody');
  await rm(room, { force: true });
  return inside === self ? null : `${self} became ${inside}`;
}

/** A process that was killed is there until its parent has asked how it ended. */
async function isRunning(pid: number): Promise<boolean> {
  return (await lifeOf({ pid, host: os.hostname(), started: null })) !== 'gone';
}
