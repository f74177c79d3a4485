import { expect, test } from 'vitest';
import { globMatcher, isGlob } from '../../engine/glob.ts';

test.each([
  ['*.jsonl', ['a.jsonl', '.jsonl'], ['a.json', 'a/b.jsonl']],
  ['./?.jsonl', ['a.jsonl', '漢.jsonl', '😀.jsonl'], ['ab.jsonl', '/.jsonl']],
  ['a/*/c', ['a/b/c'], ['a/c', 'a/b/b/c']],
  ['**/train.jsonl', ['train.jsonl', 'a/train.jsonl', 'a/b/train.jsonl'], ['nottrain.jsonl']],
  ['a/**/b.jsonl', ['a/b.jsonl', 'a/x/y/b.jsonl'], ['a/xb.jsonl', 'a/x/yb.jsonl', 'b.jsonl']],
  ['a/**', ['a/b', 'a/b/c'], ['a', 'b/a/c']],
  ['**.jsonl', ['a.jsonl', 'a/b.jsonl'], ['a.json']],
  ['data/train-*-of-*', ['data/train-1-of-2'], ['data/train-1-of', 'data/test-1-of-2']],
  ['x[0-9].txt', ['x5.txt'], ['xa.txt', 'x10.txt', 'x/.txt']],
  ['x[!0-9a]', ['xb'], ['x5', 'xa', 'x/']],
  ['x[]-]', ['x]', 'x-'], ['xa']],
  ['[x', ['[x'], ['x']],
  ['a.b+(c)|{d,e}$', ['a.b+(c)|{d,e}$'], ['aXb+(c)|{d,e}$']],
] as const)('%s', (pattern, meant, others) => {
  const matches = globMatcher(pattern);
  expect(meant.filter((name) => !matches(name))).toEqual([]);
  expect(others.filter((name) => matches(name))).toEqual([]);
});

test('a pattern that is made to take for ever does not', () => {
  const name = `${'a'.repeat(200)}.jsonl`;
  expect(globMatcher(`${'**a'.repeat(20)}**b`)(name)).toBe(false);
  expect(globMatcher(`${'*a'.repeat(20)}*b`)(name)).toBe(false);
  expect(globMatcher(`${'**/*'.repeat(20)}b`)(`${'a/'.repeat(200)}.jsonl`)).toBe(false);
});

test('what is a pattern', () => {
  expect(['a*', 'a?', 'a[0]', 'a'].filter(isGlob)).toEqual(['a*', 'a?']);
});
