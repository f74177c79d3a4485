import { expect, test } from 'vitest';
import { visibleParts } from '../../../media/data-preview/visible-text.ts';

const shown = (text: string): string =>
  visibleParts(text)
    .map((part) => (part.isSign ? `[${part.text}]` : part.text) + (part.breaks ? '\n' : ''))
    .join('');

test.each([
  ['plain', 'plain'],
  [' two  words', '[·]two[··]words'],
  ['a\tb\nc', 'a[→]b[↵]\nc'],
  ['\r\n\r', '[␍↵]\n[␍]'],
  ['\0\u007f', '[␀][⟨U+007F⟩]'],
  ['\u00a0\u200b\ufeff', '[⟨U+00A0⟩][⟨U+200B⟩][⟨U+FEFF⟩]'],
  ['<|im_start|>', '<|im_start|>'],
  ['日本 🙂', '日本[·]🙂'],
  ['', ''],
])('%j is shown as %j', (text, expected) => {
  expect(shown(text)).toBe(expected);
});

test('nothing of a text is lost', () => {
  const text = 'a  b\t\n\u0001c';
  const length = visibleParts(text).reduce((sum, part) => sum + part.text.length, 0);
  expect(length).toBe(text.length);
});

test('what turns the direction or has no width is told', () => {
  expect(shown('\u202Egpj.exe\u2066')).toBe('[⟨U+202E⟩]gpj.exe[⟨U+2066⟩]');
  expect(shown('a\u2060\u00AD\u{E0041}')).toBe('a[⟨U+2060⟩][⟨U+00AD⟩][⟨U+E0041⟩]');
});
