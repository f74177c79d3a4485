import { type ChildProcess, fork } from 'node:child_process';

/**
 * The program of a run. The process that is started first only starts the one that stays, and ends:
 * who ends a language server ends all its descendants with it (`vscode-languageclient` does so after
 * two seconds), and a process whose parent is gone is nobody's descendant.
 */
const STAY = '--stay';

if (process.argv[2] === STAY) {
  const { serveRun } = await import('./serve-run.ts');
  await serveRun();
} else {
  startTheOneThatStays();
}

/** Hands on the job, and the answer to it. */
function startTheOneThatStays(): void {
  const child: ChildProcess = fork(process.argv[1]!, [STAY], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  });
  process.on('message', (job) => child.send(job as object));
  child.once('message', (answer) => process.send?.(answer, () => process.exit()));
  child.once('exit', (code) => process.exit(code ?? 1));
  child.once('error', () => process.exit(1));
}
