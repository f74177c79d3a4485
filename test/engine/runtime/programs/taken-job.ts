import { workerData } from 'node:worker_threads';
import { AttentionMailbox, STATE } from '../../../../engine/runtime/attention-job.ts';
import type { AttentionThreadData } from '../../../../engine/runtime/attention-thread.ts';

/** Waits for a job and takes it, as a thread of attention does. */
export function takenJob(): AttentionMailbox {
  const mailbox = new AttentionMailbox((workerData as AttentionThreadData).memory);
  while (!mailbox.turn(STATE.posted, STATE.taken)) mailbox.waitWhile(mailbox.state);
  return mailbox;
}
