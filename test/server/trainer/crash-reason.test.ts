import { expect, test } from 'vitest';
import { crashReason } from '../../../server/trainer/crash-reason.ts';

test.each([
  ['SIGKILL', 'memory runs out; lower data.max_length or the batch size, then start or resume'],
  ['SIGBUS', 'the weights are made shorter or their disk is gone; put the model back, then start'],
  ['SIGSEGV', 'crashed (SIGSEGV, last output: the end); see the log, then start or resume'],
] as const)('%s is told with a way out', (signal, words) => {
  const { code, message } = crashReason({ signal, exitCode: null, lastOutput: 'the end' });
  expect(code).toBe('training.crashed');
  expect(message).toContain(words);
});

test('a process that ended by itself is told by its exit code', () => {
  expect(crashReason({ signal: null, exitCode: 3, lastOutput: undefined }).message).toBe(
    'The training process crashed (exit code 3); see the log, then start or resume the run again.',
  );
});
