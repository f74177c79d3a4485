import { ConfigError, formatProblem } from '../../engine/config/config-error.ts';
import { LorafaError, messageOf } from '../../engine/errors.ts';
import { type FailedEvent, failedEvent } from '../../engine/train/events.ts';
import { exitCodeOf } from './exit-codes.ts';

/** What is shown of something that was thrown, and the exit code that it leads to. */
export interface Failure {
  /** The last line of `--json` output. */
  readonly event: FailedEvent;
  /** For people, on stderr: every problem of a configuration, one a line. */
  readonly text: string;
  readonly exitCode: number;
}

/** Describes anything that a command threw. */
export function describeFailure(error: unknown): Failure {
  const event = failedEvent(error);
  return { event, text: describeForPeople(error), exitCode: exitCodeOf(event.code) };
}

function describeForPeople(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.map(formatProblem).join('\n');
  if (error instanceof LorafaError) {
    const { message, detail } = error;
    return detail === undefined ? message : `${message}\nIn the words of the library: ${detail}`;
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return `Unexpected error, a mistake in lorafa itself: ${stack ?? messageOf(error)}`;
}
