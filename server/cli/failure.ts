import { ConfigError, formatProblem } from '../../engine/config/config-error.ts';
import { type ErrorCode, LorafaError, messageOf } from '../../engine/errors.ts';
import { exitCodeOf } from './exit-codes.ts';

/** The last line of `--json` output when a command fails. */
export interface FailedEvent {
  readonly type: 'failed';
  readonly code: ErrorCode;
  readonly message: string;
}

/** What is shown of something that was thrown, and the exit code that it leads to. */
export interface Failure {
  readonly event: FailedEvent;
  /** For people, on stderr: every problem of a configuration, one a line. */
  readonly text: string;
  readonly exitCode: number;
}

/** Describes anything that a command threw. */
export function describeFailure(error: unknown): Failure {
  const code: ErrorCode = error instanceof LorafaError ? error.code : 'internal.unexpected';
  const event: FailedEvent = { type: 'failed', code, message: messageOf(error) };
  return { event, text: describeForPeople(error), exitCode: exitCodeOf(code) };
}

function describeForPeople(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.map(formatProblem).join('\n');
  if (error instanceof LorafaError) return error.message;
  const stack = error instanceof Error ? error.stack : undefined;
  return `Unexpected error, a mistake in lorafa itself: ${stack ?? messageOf(error)}`;
}
