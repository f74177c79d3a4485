import { expect, test } from 'vitest';
import {
  plainJson,
  plainLine,
  plainLines,
  visible,
  withoutIcons,
} from '../../server/plain-text.ts';
import { ALL_HOSTILE, drawnLabel, HOSTILE, hidesSomething } from '../support/hostile-texts.ts';

test.each([
  [HOSTILE.controls, 'a\\u001b]0;title\\u0007b\\u000dc\\u0000d\\u009b31m'],
  [HOSTILE.bidirectional, '\\u202egpj.exe\\u2066'],
  [HOSTILE.invisible, 'a\\u200bb\\u2060c\\ufeffd\\u00ade\\u{e0041}f'],
  ['half a pair \uD83D.', 'half a pair \\ud83d.'],
  ['line\u2028separator', 'line\\u2028separator'],
  [
    'ordinary text: é 日本 🙂 עברית\n\tof two lines',
    'ordinary text: é 日本 🙂 עברית\n\tof two lines',
  ],
])('%j is shown as %j', (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test('joiners stay where letters or pictures are made with them, and nowhere else', () => {
  for (const word of ['👩‍👩‍👧', 'می\u200Cخواهم', 'क्\u200Dष']) expect(visible(word)).toBe(word);
  expect(visible('ad\u200Capter')).toBe('ad\\u200capter');
  expect(visible('👩\u200D\u200D')).toBe('👩\\u200d\\u200d');
});

test('a line is one line, and never longer than it may be', () => {
  expect(plainLine(' first\r\n  second\rthird\tx ', 100)).toBe('first ⏎ second ⏎ third x');
  expect(plainLines('first\r\n  second', 100)).toBe('first\n  second');
  for (const text of [
    'x'.repeat(1e6),
    '🙂'.repeat(1e6),
    '\0'.repeat(1e6),
    `${ALL_HOSTILE}\n`.repeat(1e4),
  ]) {
    for (const shown of [plainLine(text, 500), plainLines(text, 500)]) {
      expect(shown.length).toBeLessThanOrEqual(500);
      expect(shown.length).toBeGreaterThan(490);
      expect(hidesSomething(shown)).toBe(false);
      expect(shown).not.toMatch(/\p{Cs}/u);
    }
  }
});

test('JSON is the same value and steers no terminal', () => {
  const value = { [ALL_HOSTILE]: [ALL_HOSTILE, 1, null], half: '\uD83D' };
  const json = plainJson(value);
  expect(JSON.parse(json)).toEqual(value);
  expect(hidesSomething(json)).toBe(false);
});

test('what is an icon in labels is drawn as it is written', () => {
  for (const text of [HOSTILE.icon, '\\$(alert)', '$(a)$(b)', '$(no icon)', '$$(x)']) {
    expect(drawnLabel(withoutIcons(text))).toBe(text);
  }
});
