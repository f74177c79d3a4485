import { type MarkedProcess, runsProgram } from '../support/marked-processes.ts';

/** What our processes are for. */
const KINDS = {
  'command line': (one: MarkedProcess) => runsProgram(one, 'cli.js'),
  /** Starts the trainer of a run, and ends. */
  starter: (one: MarkedProcess) =>
    runsProgram(one, 'trainer.js') && !one.command.includes('--stay'),
  trainer: (one: MarkedProcess) => runsProgram(one, 'trainer.js') && one.command.includes('--stay'),
  computing: (one: MarkedProcess) => runsProgram(one, 'trainer-compute.js'),
  server: (one: MarkedProcess) => runsProgram(one, 'language-server.js'),
  generator: (one: MarkedProcess) => runsProgram(one, 'generator.js'),
};

/** One of our kinds of processes. */
export type ProcessKind = keyof typeof KINDS;

/** Whether a process is of a kind. */
export function isOfKind(process: MarkedProcess, kind: ProcessKind): boolean {
  return KINDS[kind](process);
}
