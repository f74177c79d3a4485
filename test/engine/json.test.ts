import { parseTree } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { isNestedTooDeeply, JsonError, MAX_JSON_DEPTH, parseJson } from '../../engine/json.ts';

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('parseJson', () => {
  test('reads what JSON.parse reads', () => {
    const value = { text: 'a "quoted" [text] \\', list: [1, null, { deep: true }] };
    expect(parseJson(JSON.stringify(value))).toEqual(value);
    expect(parseJson(nested(MAX_JSON_DEPTH))).toBeInstanceOf(Array);
  });

  test.each([
    ['nothing', '', /^is not valid JSON \(Unexpected end of JSON input\)$/],
    ['broken syntax', '{"a": x}', /^is not valid JSON \([^"]*\)$/],
    ['deep nesting', nested(MAX_JSON_DEPTH + 1), /^is nested more than 128 levels deep$/],
    ['very deep nesting', '{"a":'.repeat(1_000_000), /^is nested more than 128 levels deep$/],
  ])('refuses %s', (_name, text, message) => {
    expect(() => parseJson(text)).toThrow(JsonError);
    expect(() => parseJson(text)).toThrow(message);
  });

  test('brackets in strings do not nest', () => {
    for (const text of ['['.repeat(500), '\\"['.repeat(500), `"${'{'.repeat(500)}`, '\\']) {
      expect(parseJson(JSON.stringify([text, text]))).toEqual([text, text]);
    }
  });
});

describe('isNestedTooDeeply', () => {
  const deep = '['.repeat(1000);

  test.each([
    ['a line comment', `// ${deep}\n[]`, false],
    ['a block comment', `/* ${deep} */ []`, false],
    ['behind a comment', `// a "\n/* b " */${deep}`, true],
    ['behind a string that is not closed', `["abc\n${deep}`, true],
    ['behind one that another line break ends', `["abc\r${deep}`, true],
    ['in a string that is closed behind an escape', `["abc\\"${deep}"]`, false],
  ])('%s', (_name, text, expected) => {
    expect(isNestedTooDeeply(text)).toBe(expected);
    const overflows = (): boolean => {
      try {
        parseTree(text.replaceAll(deep, '['.repeat(100_000)));
        return false;
      } catch {
        return true;
      }
    };
    expect(overflows()).toBe(expected);
  });

  test('takes time in proportion to the text', () => {
    for (const piece of ['"\n', '"\\', '\\"', '/*', '[]"']) {
      const text = piece.repeat(2_000_000);
      const start = performance.now();
      isNestedTooDeeply(text);
      expect(performance.now() - start).toBeLessThan(5000);
    }
  });
});
