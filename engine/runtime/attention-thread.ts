import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from 'node:worker_threads';
import { type AttentionJob, AttentionMailbox, type PartialSums, STATE } from './attention-job.ts';
import { attentionShares } from './attention-shares.ts';
import { CausalAttention } from './causal-attention.ts';
import { Onednn } from './onednn.ts';
import type { OnednnLibrary } from './onednn-library.ts';
import { keyOf, SharedPool } from './shared-pool.ts';

/** What {@link file://./attention-threads.ts} starts a thread with. */
export interface AttentionThreadData {
  readonly library: OnednnLibrary;
  readonly memory: SharedArrayBuffer;
  /** Closes with the thread, by which its end is seen. */
  readonly lifeline: MessagePort;
}

/*
 * Entry of a thread that computes shares of attention with primitives of its own, since one primitive is
 * not for two threads. It says that it is ready and then never returns to its event loop.
 */
const { library, memory, lifeline } = workerData as AttentionThreadData;
const onednn = new Onednn(library);
onednn.useThreads(1);
const pool = new SharedPool();
const open = new Map<string, CausalAttention>();
const mailbox = new AttentionMailbox(memory);
parentPort?.postMessage('ready');
for (;;) {
  const { state } = mailbox;
  if (state !== STATE.posted) {
    mailbox.waitWhile(state);
  } else if (mailbox.turn(STATE.posted, STATE.taken)) {
    mailbox.turn(STATE.taken, finished() ? STATE.done : STATE.failed);
    // Looks whether this thread is there are messages, which would pile up.
    while (receiveMessageOnPort(lifeline) !== undefined);
  }
}

/** Whether the job could be done; else the one who asked does it, and finds out why it cannot be done. */
function finished(): boolean {
  try {
    mailbox.writeSums(computed(mailbox.readJob()));
    return true;
  } catch {
    return false;
  }
}

function computed(job: AttentionJob): PartialSums[] {
  const key = keyOf('attention', job.sizes);
  if (job.kind === 'release') {
    open.get(key)?.release();
    open.delete(key);
    return [];
  }
  const attention = open.get(key) ?? new CausalAttention(onednn, pool, job.sizes);
  open.set(key, attention);
  const share = attentionShares(job.sizes, job.threads)[job.share]!;
  return attention.compute(job, share);
}
