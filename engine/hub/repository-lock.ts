import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { beatFor } from '../locks/lock-beat.ts';
import { removeIfHeldBy, takeLock } from '../locks/take-lock.ts';
import { ownMark } from '../process-mark.ts';

/** How often a process that waits looks again. */
const LOOK_MS = 300;

/**
 * Does something that one process at a time may do, once it is this one's turn. A process that is
 * gone holds up nobody.
 *
 * @param file the lock, in a folder that exists
 * @param onWait called once when another process has it
 * @param signal ends the waiting
 * @throws LorafaError `output.not_writable`, an abort error, and what `action` throws
 */
export async function withRepositoryLock<T>(
  file: string,
  onWait: () => void,
  action: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const token = randomBytes(8).toString('hex');
  const content = `${JSON.stringify({ ...(await ownMark()), token })}\n`;
  for (let looks = 0; !(await takeLock(file, content)); looks++) {
    if (looks === 0) onWait();
    await delay(LOOK_MS, undefined, { signal });
  }
  const stopBeat = beatFor(file, token);
  try {
    return await action();
  } finally {
    stopBeat();
    await removeIfHeldBy(file, token);
  }
}
