import os from 'node:os';
import path from 'node:path';
import { READERS } from './readers.ts';

/** What the environment says of a fuzzing run. */
export interface FuzzSettings {
  readonly seed: number;
  /** The first input and the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly readers: readonly string[];
  /** Where the one input is kept that is given again. */
  readonly keep: string | undefined;
}

/**
 * `LORAFA_FAULTS_INPUTS` of each reader, or of `LORAFA_FAULTS_READER` alone, with `LORAFA_FAULTS_SEED`; or the one input
 * `LORAFA_FAULTS_INPUT`.
 *
 * @param inputs how many inputs where the environment does not say
 */
export function fuzzSettings(inputs: number, env = process.env): FuzzSettings {
  const one = env['LORAFA_FAULTS_INPUT'];
  const from = Number(one ?? 0);
  const wanted = env['LORAFA_FAULTS_READER'];
  const names = READERS.map(({ name }) => name);
  return {
    seed: Number(env['LORAFA_FAULTS_SEED'] ?? 1),
    from,
    to: one === undefined ? Number(env['LORAFA_FAULTS_INPUTS'] ?? inputs) : from + 1,
    readers: names.filter((name) => wanted === undefined || name === wanted),
    keep: one === undefined ? undefined : path.join(os.tmpdir(), 'lorafa-fuzz-input'),
  };
}
