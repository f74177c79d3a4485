import { expect, test } from 'vitest';
import { checkConfig, parseConfig } from '../../engine/config/parse.ts';
import { LorafaError, MESSAGE_LIMIT } from '../../engine/errors.ts';

test('a message is of bounded length, and keeps its end, where the way out stands', () => {
  const { message } = new LorafaError('data.corrupt', `"${'x'.repeat(1e6)}" is wrong; mend it.`);
  expect(message).toHaveLength(MESSAGE_LIMIT);
  expect(message).toMatch(/^"x+ … x+" is wrong; mend it\.$/);
});

test.each([
  ['key', JSON.stringify({ ['x'.repeat(1e6)]: 1 })],
  ['value', JSON.stringify({ data: { format: 'x'.repeat(1e6) } })],
  ['nested key', JSON.stringify({ data: { ['x'.repeat(1e6)]: 1 } })],
])('a configuration with a %s of a million letters is told in short', (_what, text) => {
  expect(checkConfig(text, 'a.json').problems.length).toBeGreaterThan(0);
  const error = (() => {
    try {
      return parseConfig(text, 'a.json', []);
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toBeInstanceOf(LorafaError);
  expect((error as LorafaError).message.length).toBeLessThanOrEqual(MESSAGE_LIMIT);
});
