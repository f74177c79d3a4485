import { notWritable, withWayOut } from '../../engine/files/not-writable.ts';
import { exitCodeOf } from './exit-codes.ts';
import { printText } from './print.ts';

let isLost = false;
let whatToDo: (() => void) | undefined;

/** Has a command with something to save do this, once, in place of ending where its output is lost. */
export function whenOutputIsLost(action: () => void): void {
  whatToDo = action;
}

/**
 * To be called with every write to standard output that failed. A reader that has seen enough (`lorafa … | head`)
 * ends the command, as in any Unix tool; what cannot be written, as to a disk that is full, does so with its reason.
 */
export function outputLost(error: NodeJS.ErrnoException): void {
  if (isLost) return;
  isLost = true;
  const hasReader = error.code !== 'EPIPE';
  if (hasReader) {
    const reason = withWayOut(notWritable('standard output', error), 'send it elsewhere');
    printText(process.stderr, reason);
  }
  if (whatToDo !== undefined) whatToDo();
  else process.exit(hasReader ? exitCodeOf('output.not_writable') : 0);
}
