import { expect, test } from 'vitest';
import { type ErrorCode, LorafaError } from '../../../engine/errors.ts';
import { describeExitCodes, EXIT_CODES, exitCodeOf } from '../../../server/cli/exit-codes.ts';
import { describeFailure } from '../../../server/cli/failure.ts';

test.each<[ErrorCode, number]>([
  ['usage.invalid', 2],
  ['hub.gated', 8],
  ['config.unknown_key', 2],
  ['model.corrupt', 3],
  ['adapter.mismatch', 3],
  ['data.empty', 4],
  ['device.unavailable', 5],
  ['output.not_writable', 6],
  ['checkpoint.corrupt', 6],
  ['training.not_finite', 7],
  ['training.cancelled', 130],
  ['export.cancelled', 130],
  ['export.wrong_values', 1],
  ['internal.unexpected', 1],
])('%s leads to %d', (code, exitCode) => {
  expect(exitCodeOf(code)).toBe(exitCode);
});

test('the help lists each code once', () => {
  const codes = [...describeExitCodes().matchAll(/^ +(\d+) /gm)].map((match) => Number(match[1]));
  expect(codes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 130]);
  expect(EXIT_CODES).toHaveLength(codes.length);
});

test('an error of the engine is shown as its sentence, another one as a mistake of ours', () => {
  expect(describeFailure(new LorafaError('data.empty', 'rows.jsonl: no rows.'))).toEqual({
    event: { type: 'failed', code: 'data.empty', message: 'rows.jsonl: no rows.' },
    text: 'rows.jsonl: no rows.',
    exitCode: 4,
  });
  const unexpected = describeFailure(new TypeError('x is not a function'));
  expect(unexpected.exitCode).toBe(1);
  expect(unexpected.event.code).toBe('internal.unexpected');
  expect(unexpected.text).toMatch(/mistake in lorafa itself: TypeError: x is not a function\n/);
  expect(describeFailure('text').event.message).toBe('text');
});
