import type { ErrorCode } from '../../engine/errors.ts';
import type { ComputeEnd } from './compute-process.ts';

/** What signals mean, and the way out. */
const SIGNALS: { readonly [K in NodeJS.Signals]?: string } = {
  SIGKILL:
    'was ended from outside (SIGKILL), as the system does when memory runs out; lower data.max_length or the batch size',
  SIGBUS:
    'lost a file that it computes with (SIGBUS), as when the weights are made shorter or their disk is gone; put the model back',
};

/** The stored reason for the end of a computing process that did not say why it ended. */
export function crashReason({ signal, exitCode, lastOutput }: Omit<ComputeEnd, 'outcome'>): {
  readonly code: ErrorCode;
  readonly message: string;
} {
  const known = signal === null ? undefined : SIGNALS[signal];
  const output = lastOutput === undefined ? '' : `, last output: ${lastOutput}`;
  const how = known ?? `crashed (${signal ?? `exit code ${exitCode}`}${output}); see the log`;
  return {
    code: 'training.crashed',
    message: `The training process ${how}, then start or resume the run again.`,
  };
}
