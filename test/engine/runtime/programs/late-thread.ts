import { parentPort } from 'node:worker_threads';
import { STATE } from '../../../../engine/runtime/attention-job.ts';
import { takenJob } from './taken-job.ts';

/** A thread of attention that takes longer over each share than anybody waits for it. */
parentPort?.postMessage('ready');
for (;;) {
  const mailbox = takenJob();
  mailbox.waitWhile(STATE.taken, 300);
  mailbox.writeSums([{ key: 1n, value: 2n }]);
  mailbox.turn(STATE.taken, STATE.done);
}
