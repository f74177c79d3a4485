import type { ErrorCode } from '../../engine/errors.ts';
import { exitCodeOf } from '../../server/cli/exit-codes.ts';
import type { Outcome } from '../support/built-cli.ts';

/** How a run came to its end. */
export type RunEnd =
  | { readonly how: 'completed' }
  /** It says why; `code` is the error's. */
  | { readonly how: 'failed'; readonly code: string; readonly message: string }
  /** Its process was killed, crashed, or hung until it was killed. */
  | { readonly how: 'gone' }
  /** Something else, that no run may do. */
  | { readonly how: 'strange'; readonly message: string };

/** How a run of the command line (with `--json`) ended. */
export function endOf({ code, stdout, stderr }: Outcome): RunEnd {
  if (code === null) return { how: 'gone' };
  const last = lastEvent(stdout);
  const strange = (message: string): RunEnd => ({ how: 'strange', message });
  if (stderr !== '') return strange(`stderr has ${stderr}`);
  if (code === 0)
    return last?.type === 'completed' ? { how: 'completed' } : strange('no last word');
  if (last?.type !== 'failed') return strange(`it ended with ${code} and without a reason`);
  const { code: reason, message } = last;
  const fitting = exitCodeOf(reason);
  if (code !== fitting)
    return strange(`it ended with ${code} and not ${fitting}, as ${reason} has`);
  return { how: 'failed', code: reason, message };
}

/**
 * What is wrong with the end of a run in which something failed: it is to complete all the same, or
 * to give its reason.
 *
 * @param mayBeGone whether it was killed on purpose, or could not write its reason anywhere
 */
export function complaints(end: RunEnd, mayBeGone: boolean): string[] {
  switch (end.how) {
    case 'completed':
      return [];
    case 'gone':
      return mayBeGone ? [] : ['it crashed or hung'];
    case 'strange':
      return [end.message];
    case 'failed': {
      const isTyped = !end.code.startsWith('internal.') && end.code !== 'training.crashed';
      return isTyped ? [] : [`a mistake in lorafa itself: ${end.message}`];
    }
  }
}

/** The last line of `--json` output. */
function lastEvent(
  stdout: string,
): { readonly type: string; readonly code: ErrorCode; readonly message: string } | undefined {
  try {
    return JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
  } catch {
    return undefined;
  }
}
