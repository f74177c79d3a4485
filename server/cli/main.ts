#!/usr/bin/env node
import { text } from 'node:stream/consumers';
import { CommanderError } from 'commander';
import { giveHubToken } from '../../engine/hub/hub-token.ts';
import { endWithNamedParent } from '../end-with-parent.ts';
import { exitCodeOf } from './exit-codes.ts';
import { outputLost, whenOutputIsLost } from './lost-output.ts';
import { createProgram } from './program.ts';
import { restartWithHeap } from './restart-with-heap.ts';

await restartWithHeap();

// Where nobody but the one who started this process can read it.
if (endWithNamedParent()) {
  giveHubToken((await text(process.stdin)) || undefined);
  // Its parent is gone then, and asks the command to come to a good end a moment later.
  whenOutputIsLost(() => undefined);
}

// A terminal that was closed is no reader that went: it has sent SIGHUP, by which a command comes to
// a good end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EIO') outputLost(error);
});
process.stderr.on('error', () => undefined);

try {
  await createProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has already said what is wrong; help and version "fail" with 0.
  process.exitCode = error.exitCode === 0 ? 0 : exitCodeOf('usage.invalid');
}
