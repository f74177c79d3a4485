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
 * `FUZZ_INPUTS` of each reader with `FUZZ_SEED`, or the one input `FUZZ_INPUT`; `FUZZ_READER` names
 * one reader, by a part of its name.
 *
 * @param inputs how many inputs where the environment does not say
 */
export function fuzzSettings(inputs: number, env = process.env): FuzzSettings {
  const one = env['FUZZ_INPUT'];
  const from = Number(one ?? 0);
  return {
    seed: Number(env['FUZZ_SEED'] ?? 1),
    from,
    to: one === undefined ? Number(env['FUZZ_INPUTS'] ?? inputs) : from + 1,
    readers: READERS.map(({ name }) => name).filter((name) =>
      name.includes(env['FUZZ_READER'] ?? ''),
    ),
    keep: one === undefined ? undefined : path.join(os.tmpdir(), 'lorafa-fuzz-input'),
  };
}
