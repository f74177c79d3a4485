import { Worker } from 'node:worker_threads';
import { withoutToken } from '../engine/hub/hub-token.ts';

/** Names the process with which a command of the command line is to end, by its id. */
const PARENT_VARIABLE = 'LORAFA_ENDS_WITH';

/** Milliseconds between two looks at the parent. */
const LOOK_MS = 1000;

/** Milliseconds that a command has to remove what it has half written. */
const GRACE_MS = 5000;

/**
 * The program of the thread that watches. It is given as text, since a thread needs a program that
 * Node can load as it is, in the bundle as in the sources. Where there are no orphans (Windows) the
 * id of the parent stays, and is asked after.
 */
const PROGRAM = `
const { workerData: { parent, every, grace } } = require('node:worker_threads');
let goneAt;
function isGone() {
  if (process.ppid !== parent) return true;
  try {
    process.kill(parent, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
setInterval(() => {
  if (goneAt === undefined && !isGone()) return;
  const isAsked = goneAt === undefined && grace > 0;
  goneAt ??= Date.now();
  if (isAsked) process.kill(process.pid, 'SIGTERM');
  else if (Date.now() - goneAt >= grace) process.kill(process.pid, 'SIGKILL');
}, every);
`;

/**
 * Ends this process soon after its parent, whatever it is doing then: a process whose event loop is
 * blocked, by a native call or an expression that backtracks, does not hear that its channel is
 * closed. A thread of its own looks, some 9 MB of it, and keeps no process alive.
 *
 * @param parent its id; by default that of whoever is the parent now
 * @param grace milliseconds that it is given to end by itself, as Ctrl+C asks it to
 */
export function endWithParent(parent = process.ppid, grace = 0): void {
  const thread = new Worker(PROGRAM, {
    eval: true,
    workerData: { parent, every: LOOK_MS, grace },
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
  });
  thread.unref();
  // Without the thread the process still ends with its channel, once its event loop turns.
  thread.on('error', () => undefined);
}

/** The environment of a command of the command line that is to end with this process. */
export function environmentOfChild(): NodeJS.ProcessEnv {
  return { ...withoutToken(), ELECTRON_RUN_AS_NODE: '1', [PARENT_VARIABLE]: String(process.pid) };
}

/**
 * Does as {@link endWithParent} where this process was started with {@link environmentOfChild}.
 *
 * @returns whether it was
 */
export function endWithNamedParent(): boolean {
  const parent = process.env[PARENT_VARIABLE];
  if (parent === undefined) return false;
  // What this process starts in turn is its own affair.
  delete process.env[PARENT_VARIABLE];
  endWithParent(Number(parent), GRACE_MS);
  return true;
}
