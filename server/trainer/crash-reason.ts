import type { ErrorCode } from '../../engine/errors.ts';
import type { ComputeEnd } from './compute-process.ts';

/** The stored reason for the end of a computing process that did not say why it ended. */
export function crashReason({ signal, exitCode, lastOutput }: Omit<ComputeEnd, 'outcome'>): {
  readonly code: ErrorCode;
  readonly message: string;
} {
  const how =
    signal === 'SIGKILL'
      ? 'was ended from outside (SIGKILL), as the system does when memory runs out; lower data.max_length or the batch size'
      : `crashed (${signal ?? `exit code ${exitCode}`}${lastOutput === undefined ? '' : `, last output: ${lastOutput}`}); see the log`;
  return {
    code: 'training.crashed',
    message: `The training process ${how}, then start or resume the run again.`,
  };
}
