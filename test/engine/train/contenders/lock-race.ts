import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../../../../engine/random.ts';
import { LOCK_FILE } from '../../../../engine/train/run-lock.ts';
import { bundledProgram } from '../../../support/bundled-program.ts';
import type { Round, RoundReport } from './contender.ts';

/** What came of the races for a lock. */
export interface RaceResult {
  /** Times that a process had the lock. */
  readonly turns: number;
  readonly kills: number;
  /** Tries that found the lock held. */
  readonly refusals: number;
  /** What must never be. */
  readonly violations: readonly string[];
}

/** What is in the folder before a race: what a dead process may have left there. */
const BEFORE: readonly ((file: string, dead: number) => Promise<unknown>)[] = [
  async () => undefined,
  (file, pid) => writeFile(file, JSON.stringify({ pid, host: os.hostname(), started: null })),
  (file) => symlink('/nowhere/at/all', file),
];

/**
 * Lets processes race for the lock of one folder, many times; some are killed at any moment.
 *
 * @param seed decides how long each holds the lock, and which are killed and when
 */
export async function raceForLocks({
  rounds,
  processes,
  seed,
  env = {},
}: {
  readonly rounds: number;
  readonly processes: number;
  readonly seed: number;
  /** More environment variables of the contenders. */
  readonly env?: Readonly<Record<string, string>>;
}): Promise<RaceResult> {
  const script = await bundledProgram(path.join(import.meta.dirname, 'contender.ts'));
  const random = new Random(seed);
  const start = (): ChildProcess => fork(script, { execArgv: [], env: { ...process.env, ...env } });
  const contenders = Array.from({ length: processes }, start);
  let [turns, kills, refusals] = [0, 0, 0];
  const violations: string[] = [];
  try {
    const dead = await deadProcess();
    for (let round = 0; round < rounds; round++) {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'lorafa-race-'));
      await BEFORE[round % BEFORE.length]!(path.join(folder, LOCK_FILE), dead);
      const reports = contenders.map(async (contender, index) => {
        const order = { folder, holdMs: random.uniform() * 4 };
        // One at least is there to the end.
        const isKilled = index > 0 && random.uniform() < 0.25;
        const killAfterMs = isKilled ? random.uniform() * 60 : undefined;
        const report = await race(contender, order, killAfterMs);
        if (report === undefined) contenders[index] = start();
        return report;
      });
      for (const report of await Promise.all(reports)) {
        if (report === undefined) {
          kills += 1;
          continue;
        }
        turns += 1;
        refusals += report.refusals;
        if (report.violation !== null) violations.push(`round ${round}: ${report.violation}`);
      }
      await rm(folder, { recursive: true });
    }
  } finally {
    for (const contender of contenders) contender.kill('SIGKILL');
  }
  return { turns, kills, refusals, violations };
}

/** The report of a contender, or undefined for one that was killed before it had one. */
async function race(
  contender: ChildProcess,
  round: Round,
  killAfterMs: number | undefined,
): Promise<RoundReport | undefined> {
  const over = new AbortController();
  const when = (event: string): Promise<unknown[]> =>
    once(contender, event, { signal: over.signal }).catch(() => []);
  const report = when('message').then(([message]) => message as RoundReport);
  const end = when('exit').then(() => undefined);
  contender.send(round);
  try {
    if (killAfterMs === undefined) return await Promise.race([report, end]);
    await delay(killAfterMs);
    contender.kill('SIGKILL');
    return await end;
  } finally {
    over.abort();
  }
}

async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid!;
}
