import path from 'node:path';
import type { ResolvedConfig } from '../../engine/config/schema.ts';
import { LorafaError } from '../../engine/errors.ts';
import { isRunning } from '../../engine/process-mark.ts';
import { readRunFolder } from '../../server/runs/run-summary.ts';
import { startTrainer } from '../../server/runs/start-trainer.ts';
import { readStateFile } from '../../server/trainer/state-file.ts';
import type { BuiltCli } from '../support/built-cli.ts';
import { endOf, type RunEnd } from './run-end.ts';

/** More than any of these runs takes, on a machine that does other things as well. */
const TIMEOUT_MS = 60_000;

/** How often it is looked whether a trainer's run has ended. */
const POLL_MS = 50;

/** A run that is to be done. */
export interface RunJob {
  readonly config: ResolvedConfig;
  /** Holds the configuration. */
  readonly configFile: string;
  /** Variables for its processes, beside those of this one. */
  readonly env: Readonly<Record<string, string>>;
}

/** A way to do a run with the built programs, to its end. */
export type RunProgram = (built: BuiltCli, job: RunJob) => Promise<RunEnd>;

/** The command line. */
export const commandLine: RunProgram = async (built, { configFile, env }) =>
  endOf(await built.run(['train', configFile, '--json'], { env, timeoutMs: TIMEOUT_MS }));

/** What the editor does: a trainer, and a computing process below it. */
export const trainer: RunProgram = async (built, { config, configFile, env }) => {
  const { output_dir: folder } = config.training;
  const registryFolder = path.join(path.dirname(folder), 'registry');
  const job = { config, configFile, whenBusy: 'parallel', registryFolder } as const;
  try {
    await withEnvironment(env, () =>
      startTrainer(path.join(built.folder, 'out/trainer.js'), job, TIMEOUT_MS),
    );
  } catch (error) {
    if (!(error instanceof LorafaError)) throw error;
    return failedOrGone(error.code, error.message);
  }
  return untilEnded(folder);
};

/** Calls a function that takes the environment as it is when it is called. */
function withEnvironment<T>(env: Readonly<Record<string, string>>, call: () => T): T {
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    return call();
  } finally {
    for (const name of Object.keys(env)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}

/** Waits until a run is over and its trainer is gone, with all that it tidies up at its end. */
async function untilEnded(folder: string): Promise<RunEnd> {
  const deadline = performance.now() + TIMEOUT_MS;
  while (performance.now() < deadline) {
    const summary = (await readRunFolder(folder))?.summary;
    const trainerId = (await readStateFile(folder))?.pid;
    if (summary === undefined || trainerId === undefined) {
      return { how: 'strange', message: `${folder} tells of no run` };
    }
    if (!summary.isLive && !(await isRunning(trainerId))) {
      const { state, reason } = summary.status;
      if (state === 'completed') return { how: 'completed' };
      return failedOrGone(reason?.code ?? state, reason?.message ?? 'no reason');
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return { how: 'strange', message: 'it did not end' };
}

function failedOrGone(code: string, message: string): RunEnd {
  return code === 'training.crashed' ? { how: 'gone' } : { how: 'failed', code, message };
}
