import { expect, test } from 'vitest';
import { commonEnding } from '../../../media/playground/common-ending.ts';

test('prompts that a template has written tell what it ends in', () => {
  const written = (text: string): string => `${text}\nJSON: `;
  expect(commonEnding(['Ada is 36.', 'Milo is 70.'].map(written))).toBe('JSON: ');
  const alpaca = (text: string): string => `### Input:\n${text}\n\n### Response:\n`;
  expect(commonEnding(['one', 'two', 'phone'].map(alpaca))).toBe('### Response:\n');
});

test.each([
  ['nothing in common', ['What is this?', 'Name a city.']],
  ['a mark', ['What is this?', 'Who is that?']],
  ['a part of a word', ['in Mulhouse', 'in Toulouse']],
  ['a break of a line', ['one\n', 'two\n']],
  ['the same prompt', ['Hello there, you', 'Hello there, you']],
  ['one prompt', ['Hello there, you']],
  ['none', []],
])('%s is no ending', (_, prompts) => {
  expect(commonEnding(prompts)).toBeUndefined();
});
