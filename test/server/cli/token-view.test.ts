import { expect, test } from 'vitest';
import type { ExamplePreview } from '../../../engine/data/preview.ts';
import { renderTokens } from '../../../server/cli/token-view.ts';
import { HOSTILE, hidesSomething } from '../../support/hostile-texts.ts';

function example(
  ...tokens: readonly (readonly [text: string, supervised: boolean])[]
): ExamplePreview {
  return {
    file: 'rows.jsonl',
    line: 1,
    truncated: false,
    tokens: tokens.map(([text, supervised], id) => ({ id, text, special: false, supervised })),
  };
}

const SUM = example(['2+2', false], [' =', false], [' 4', true], ['\n', true], ['</s>', true]);

test('without colour each supervised token stands in brackets', () => {
  expect(renderTokens(SUM, false)).toBe('2+2 =⟦ 4⟧⟦↵\n⟧⟦</s>⟧');
});

test('with colour each supervised token has a green ground that ends before a line break', () => {
  expect(renderTokens(SUM, true)).toBe(
    '2+2\u001B[2m =\u001B[0m\u001B[30;42m 4\u001B[0m' +
      '\u001B[30;102m↵\u001B[0m\n\u001B[30;42m</s>\u001B[0m',
  );
});

test('data cannot steer the terminal', () => {
  const hostile = example(['\u001B]0;title\u0007\r\t\u007F\u009B31m', true]);
  expect(renderTokens(hostile, false)).toBe('⟦␛]0;title␇␍␉␡␡31m⟧');
});

test('says where a row was cut', () => {
  expect(renderTokens({ ...SUM, truncated: true }, false)).toMatch(
    / … \(cut at data.max_length\)$/,
  );
});

test.each([true, false])('turned and hidden text is told (with colour: %s)', (color) => {
  const tokens = Object.values(HOSTILE).map((text) => [text, true] as const);
  const view = ['\u001B[30;42m', '\u001B[30;102m', '\u001B[0m'].reduce(
    (text, own) => text.replaceAll(own, ''),
    renderTokens(example(...tokens), color),
  );
  expect(hidesSomething(view)).toBe(false);
  expect(view).toContain('\\u202egpj.exe\\u2066');
});
