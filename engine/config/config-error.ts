import { type ErrorCode, type ErrorLocation, LorafaError, MESSAGE_LIMIT } from '../errors.ts';
import { shortened } from '../quote.ts';
import type { PathProblem } from './path-problem.ts';

/** A path into the configuration, e.g. `['training', 'max_steps']`; numbers index lists. */
export type ConfigPath = readonly (string | number)[];

/** One mistake in a run configuration. */
export interface ConfigProblem extends ErrorLocation {
  /** The configuration file, or the command-line flag that gave the value (then without a line). */
  readonly file: string;
  readonly code: ErrorCode;
  readonly message: string;
  /** Where in the configuration it lies and what would solve it; absent for broken syntax. */
  readonly about?: PathProblem;
}

/** A run configuration that cannot be used; it carries every problem that was found, in file order. */
export class ConfigError extends LorafaError {
  readonly problems: readonly [ConfigProblem, ...ConfigProblem[]];

  constructor(problems: readonly [ConfigProblem, ...ConfigProblem[]]) {
    const [first, ...rest] = problems;
    const more =
      rest.length === 0
        ? ''
        : ` (and ${rest.length} more ${rest.length === 1 ? 'problem' : 'problems'})`;
    super(first.code, formatProblem(first) + more, { location: first });
    this.problems = problems;
  }
}

/** Throws a {@link ConfigError} unless the list is empty. */
export function assertNoProblems(problems: readonly ConfigProblem[]): void {
  const [first, ...rest] = problems;
  if (first !== undefined) throw new ConfigError([first, ...rest]);
}

/** `file:line:column: message`, or `flag: message`; not longer than a sentence may be. */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, column, message } = problem;
  const place = line === undefined ? file : `${file}:${line}:${column}`;
  return shortened(`${place}: ${message}`, MESSAGE_LIMIT);
}

/** A path as it is written in messages and after `--set`: `training.max_steps`. */
export function formatPath(path: ConfigPath): string {
  return path.join('.');
}
