import { stopAfter } from '../engine/train/stop-after.ts';
import {
  type ConfigChanges,
  type FinishedRun,
  ofType,
  run,
  TinyRuns,
} from '../engine/train/tiny-run.ts';

/** Losses of the steps of runs that were interrupted in their middle, by where the two halves were computed. */
export interface ResumedRuns {
  readonly onCpu: readonly number[];
  readonly webgpuThenCpu: readonly number[];
  readonly cpuThenWebgpu: readonly number[];
}

const STEPS = 4;

/*
 * Trains a tiny model in the folder that is the argument, and goes on with a checkpoint on another device. Prints
 * one line of JSON.
 */
const tiny = await TinyRuns.create(process.argv[2]!);
const halves = async (first: string, second: string): Promise<readonly number[]> => {
  const training = { max_steps: STEPS, output_dir: tiny.fresh(), logging_steps: 1 };
  const changes = (device: string): ConfigChanges => ({ engine: { device }, training });
  const begun = await stopAfter(STEPS / 2, tiny.config(changes(first)));
  const rest = await run(
    tiny.config({
      ...changes(second),
      training: { ...training, resume_from_checkpoint: 'latest' },
    }),
  );
  return [...lossesOf(begun), ...lossesOf(rest)];
};
const result: ResumedRuns = {
  onCpu: await halves('cpu', 'cpu'),
  webgpuThenCpu: await halves('webgpu', 'cpu'),
  cpuThenWebgpu: await halves('cpu', 'webgpu'),
};
process.stdout.write(`${JSON.stringify(result)}\n`);

function lossesOf(finished: FinishedRun): readonly number[] {
  return ofType(finished, 'step').map(({ loss }) => loss);
}
