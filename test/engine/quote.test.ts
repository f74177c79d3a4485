import { expect, test } from 'vitest';
import { quote, shortened } from '../../engine/quote.ts';

test('a value is quoted as JSON, and cut where it is long', () => {
  expect(quote('a"b\n')).toBe('"a\\"b\\n"');
  expect(quote({ a: [1, null] })).toBe('{"a":[1,null]}');
  expect(quote(undefined)).toBe('nothing');
  expect(quote('x'.repeat(1e7))).toBe(`"${'x'.repeat(96)}...`);
  expect(quote([...Array(1000).keys()], 20)).toBe('[0,1,2,3,4,5,6,7,...');
});

test('of a long text the start and the end stay', () => {
  expect(shortened('short', 5)).toBe('short');
  const text = `Start ${'x'.repeat(1e6)} the way out.`;
  const short = shortened(text, 100);
  expect(short).toHaveLength(100);
  expect(short).toMatch(/^Start x+ … x+ the way out\.$/);
  for (let length = 20; length < 30; length++) {
    expect(shortened('🙂'.repeat(100), length)).not.toMatch(/\p{Cs}/u);
  }
});
