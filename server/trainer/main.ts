import { type ChildProcess, fork } from 'node:child_process';
import { isTakenNote } from './trainer-job.ts';

/**
 * The program of a run. The process that is started first only starts the one that stays, and ends:
 * who ends a language server ends all its descendants with it (`vscode-languageclient` does so after
 * two seconds), and a process whose parent is gone is nobody's descendant.
 */
const STAY = '--stay';

/** How long a run that its starter has given up may take to end by itself. */
const GIVE_UP_MS = 2000;

if (process.argv[2] === STAY) {
  const { serveRun } = await import('./serve-run.ts');
  await serveRun();
} else {
  startTheOneThatStays();
}

/** Hands messages to and fro until the starter has taken note of the run, or has given it up. */
function startTheOneThatStays(): void {
  // The starter may have given up before this program was loaded, which no event tells any more.
  if (!process.connected) process.exit(1);
  const child: ChildProcess = fork(process.argv[1]!, [STAY], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  });
  let isTaken = false;
  let told: Promise<void> = Promise.resolve();
  const leave = (code: number): void => void told.then(() => process.exit(code));
  process.on('message', (message) => {
    isTaken ||= isTakenNote(message);
    child.send(message as object, () => undefined);
  });
  child.on('message', (answer) => {
    told = new Promise((resolve) => {
      process.send?.(answer, undefined, undefined, () => resolve());
    });
  });
  child.once('disconnect', () => {
    if (isTaken) leave(0);
  });
  child.once('exit', (code) => {
    // What it said last may be heard only now, on a busy machine.
    if (child.connected) child.once('disconnect', () => leave(code ?? 1));
    else leave(code ?? 1);
  });
  child.once('error', () => leave(1));
  process.once('disconnect', () => {
    if (isTaken) return;
    if (child.connected) child.disconnect();
    setTimeout(() => child.kill('SIGKILL'), GIVE_UP_MS);
  });
}
