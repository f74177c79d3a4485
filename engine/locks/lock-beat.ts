import { Worker } from 'node:worker_threads';
import { LOCK_BEAT_MS } from './lock-file.ts';

/**
 * The program of the thread that renews the times of locks. It opens each lock itself and keeps it
 * open, so that it never renews one that has taken the place of ours. It is given as text, since a
 * thread needs a program that Node can load as it is, in the bundle as in the sources.
 */
const PROGRAM = `
const fs = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const open = new Map();
parentPort.on('message', ({ id, file, token }) => {
  if (open.has(id)) fs.closeSync(open.get(id));
  open.delete(id);
  if (file === undefined) return;
  try {
    const { O_RDWR, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
    const handle = fs.openSync(file, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    if (fs.readFileSync(handle, 'utf8').includes(token)) open.set(id, handle);
    else fs.closeSync(handle);
  } catch {}
});
setInterval(() => {
  const now = new Date();
  for (const handle of open.values()) {
    try { fs.futimesSync(handle, now, now); } catch {}
  }
}, workerData);
`;

let thread: Worker | undefined;
let lastId = 0;

/**
 * Shows others that the holder of a lock lives: the time of the file is renewed every
 * {@link LOCK_BEAT_MS} by a thread of its own, because ONNX Runtime blocks this one for whole steps.
 * It halts when the process halts, as it must.
 *
 * @param token what the lock holds and no other does
 * @returns ends it
 */
export function beatFor(file: string, token: string): () => void {
  thread ??= startThread();
  lastId += 1;
  const id = lastId;
  thread.postMessage({ id, file, token });
  return () => thread?.postMessage({ id });
}

/** One thread for all locks of a process; it keeps no process alive. */
function startThread(): Worker {
  const worker = new Worker(PROGRAM, {
    eval: true,
    workerData: LOCK_BEAT_MS,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
  });
  worker.unref();
  worker.on('error', () => {
    thread = undefined;
  });
  return worker;
}
