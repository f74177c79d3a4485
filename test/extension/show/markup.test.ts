import { expect, test } from 'vitest';
import { asMarkdown, withoutLinks, withoutMarkup } from '../../../extension/show/markup.ts';
import { HOSTILE, hasLink } from '../../support/hostile-texts.ts';

test.each([
  HOSTILE.link,
  '[a](https://example.com)',
  '[a](file:///etc/passwd)',
  '[[a](b)](command:c)',
  '](](command:c)[x](command:d)',
])('%s has no link', (text) => {
  expect(hasLink(withoutLinks(text))).toBe(false);
});

test.each([
  ['a_b.jsonl:3: <b> long', 'a\\_b.jsonl:3: \\<b\\> long'],
  [HOSTILE.link, '\\[click\\](command:workbench.action.terminal.new "harmless")'],
  [HOSTILE.autolink, '\\<command:workbench.action.terminal.new\\>'],
  ['https://example.com', 'https:\\//example.com'],
  ['www.example.com', 'www\\.example.com'],
  ['me@example.com', 'me\\@example.com'],
  ['a | b\n# c $x$ ~~d~~ &amp;', 'a \\| b \\# c \\$x\\$ \\~\\~d\\~\\~ \\&amp;'],
  ['\\[a](b)', '\\\\\\[a\\](b)'],
])('%s is in Markdown %s', (text, markdown) => {
  expect(asMarkdown(text)).toBe(markdown);
});

test('without markup a name is still told from others', () => {
  expect(withoutMarkup('run-1_b é日本')).toBe('run-1_b é日本');
  expect(withoutMarkup('[x](command:y)')).toBe('·x··command·y·');
});
