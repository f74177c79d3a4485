import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** What is left when a run is over. */
export interface RunOutcome {
  /** Paths of all files and folders, relative to the folder that was asked about, in order. */
  readonly names: readonly string[];
  /** Hashes, by path, of those that are the same whenever the run is the same. */
  readonly results: ReadonlyMap<string, string>;
}

/** Weights, moments and the adapter's configuration; the others tell of times and places. */
const RESULT = /\.safetensors$|(^|\/)adapter_config\.json$/;

/** Looks at all that is in a folder of runs; one that does not exist is empty. */
export async function readOutcome(folder: string): Promise<RunOutcome> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const names = entries.toSorted();
  const results = new Map<string, string>();
  for (const name of names.filter((name) => RESULT.test(name))) {
    const content = await readFile(path.join(folder, name));
    results.set(name, createHash('sha256').update(content).digest('hex'));
  }
  return { names, results };
}

/** One sentence for everything in which an outcome differs from what it should be. */
export function differences(outcome: RunOutcome, expected: RunOutcome): string[] {
  const missing = expected.names.filter((name) => !outcome.names.includes(name));
  const leftOver = outcome.names.filter((name) => !expected.names.includes(name));
  const changed = [...expected.results].filter(([name, hash]) => {
    const found = outcome.results.get(name);
    return found !== undefined && found !== hash;
  });
  return [
    ...missing.map((name) => `${name} is missing`),
    ...leftOver.map((name) => `${name} is left behind`),
    ...changed.map(([name]) => `${name} is not what the undisturbed run wrote`),
  ];
}
