import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { readConfig } from '../../../engine/config/parse.ts';
import { LorafaError } from '../../../engine/errors.ts';
import { readLock } from '../../../engine/train/run-lock.ts';
import { startTrainer } from '../../../server/runs/start-trainer.ts';
import type { TrainerJob } from '../../../server/trainer/trainer-job.ts';
import { processesOf } from '../../support/processes-of.ts';
import { ENDLESS, type RealRuns } from './real-runs.ts';

/** How a start ended whose starter gave it up, or was killed, after a while. */
export type StartEnd = 'given up' | 'started';

/**
 * Starts a run and gives it up after a while, as a window does whose patience ends. Makes sure that
 * no process of the run is left by then, and that the folder is free.
 */
export async function startAndGiveUp(runs: RealRuns, patienceMs: number): Promise<StartEnd> {
  const job = await jobOf(runs);
  const { output_dir: folder } = job.config.training;
  try {
    await startTrainer(runs.trainerScript, job, patienceMs);
  } catch (error) {
    expect(error).toBeInstanceOf(LorafaError);
    expect(error).toMatchObject({ code: 'training.no_answer' });
    await expect.poll(() => processesOf(runs.built.folder), { timeout: 10_000 }).toEqual([]);
    expect(await readLock(folder)).toBeUndefined();
    return 'given up';
  }
  await endAll(runs);
  return 'started';
}

/**
 * Starts a run from a process that is killed after a while, as a window that crashes. The run then
 * either goes on, with its folder telling of it, or none of its processes is left.
 *
 * @param starterScript the bundled `starters/starter.ts`
 */
export async function startAndDie(
  runs: RealRuns,
  starterScript: string,
  killAfterMs: number,
): Promise<StartEnd> {
  const job = await jobOf(runs);
  const starter = fork(starterScript, { execArgv: [] });
  const ended = once(starter, 'exit');
  starter.send({ script: runs.trainerScript, job });
  await delay(killAfterMs);
  starter.kill('SIGKILL');
  await ended;
  await expect
    .poll(
      async () =>
        (await readLock(job.config.training.output_dir)) !== undefined || (await isQuiet(runs)),
      {
        timeout: 20_000,
      },
    )
    .toBe(true);
  // One that was not taken note of ends by itself, soon.
  await delay(1500);
  const holder = await readLock(job.config.training.output_dir);
  const processes = await processesOf(runs.built.folder);
  if (holder === undefined) {
    expect(processes).toEqual([]);
    return 'given up';
  }
  expect(processes).toContain(holder.pid);
  await endAll(runs);
  return 'started';
}

async function isQuiet(runs: RealRuns): Promise<boolean> {
  return (await processesOf(runs.built.folder)).length === 0;
}

async function jobOf(runs: RealRuns): Promise<TrainerJob> {
  const { configFile } = await runs.configured({ max_steps: ENDLESS });
  const config = await readConfig(path.resolve(configFile));
  return { config, configFile, whenBusy: 'parallel', registryFolder: runs.registryFolder };
}

async function endAll(runs: RealRuns): Promise<void> {
  for (const pid of await processesOf(runs.built.folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended with another one.
    }
  }
  await expect.poll(() => isQuiet(runs), { timeout: 10_000 }).toBe(true);
}
