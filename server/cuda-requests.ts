import { CUDA_FOLDER_VARIABLE } from '../engine/runtime/cuda-folder.ts';
import type { ShownCudaPlan } from './cli/cuda-report.ts';
import { runCli } from './cli-process.ts';
import { progressOf } from './cli-progress.ts';
import { cudaFolderGiven, cudaProgress, planCuda, setUpCuda } from './protocol/machine.ts';
import {
  heed,
  type NotificationSink,
  type NotificationSource,
  notify,
  type RequestSource,
  serve,
} from './rpc/serve.ts';

/** Milliseconds that a cancelled set-up may take to remove what has come in part. */
const GRACE_MS = 15_000;

/**
 * Answers what is asked about CUDA, each in a process of its own, and passes the folder that was chosen for it on
 * to every process that is started.
 *
 * @param cliScript the built `cli/main.ts`
 */
export function serveCuda(
  connection: RequestSource & NotificationSource & NotificationSink,
  cliScript: string,
): void {
  const fromEnvironment = process.env[CUDA_FOLDER_VARIABLE];
  heed(connection, cudaFolderGiven, ({ folder }) => {
    const chosen = folder ?? fromEnvironment;
    if (chosen === undefined) delete process.env[CUDA_FOLDER_VARIABLE];
    else process.env[CUDA_FOLDER_VARIABLE] = chosen;
  });
  serve(connection, planCuda, async (_nothing, token) => {
    return (await runCli(cliScript, ['cuda', 'setup', '--plan'], token)) as ShownCudaPlan;
  });
  serve(connection, setUpCuda, async (_nothing, token) => {
    const onLine = (line: unknown): void => {
      const text = progressOf(line);
      if (text !== undefined) void notify(connection, cudaProgress, { text });
    };
    const options = { onLine, graceMs: GRACE_MS };
    return (await runCli(cliScript, ['cuda', 'setup'], token, options)) as {
      readonly folder: string;
    };
  });
}
