import type { ConfigPath } from '../config-error.ts';
import type { Given } from '../given.ts';
import type { PathProblem, Remedy } from '../path-problem.ts';

/** Finds keys that are fine alone and mean nothing together. */
export type Rule = (given: Given) => readonly PathProblem[];

/** A contradiction at a key; its remedy is to remove the key where no other is given. */
export function problem(
  path: ConfigPath,
  message: string,
  ...remedies: readonly Remedy[]
): PathProblem {
  return {
    path,
    part: 'key',
    code: 'config.contradiction',
    message,
    remedies: remedies.length === 0 ? [{ kind: 'remove', path }] : remedies,
  };
}
