import { expect, test } from 'vitest';
import { isSafePath, parseHubName } from '../../../engine/hub/hub-name.ts';

test.each([
  ['meta-llama/Meta-Llama-3-8B', { repository: 'meta-llama/Meta-Llama-3-8B', revision: 'main' }],
  ['owner/name@v1.0', { repository: 'owner/name', revision: 'v1.0' }],
  ['owner/name@refs/pr/3', { revision: 'refs/pr/3' }],
  ['owner/name-GGUF:name.Q4_K_M.gguf', { part: 'name.Q4_K_M.gguf', revision: 'main' }],
  ['owner/name@main:data/train.parquet[:100]', { part: 'data/train.parquet', slice: '[:100]' }],
  ['owner/name[10:20]', { repository: 'owner/name', slice: '[10:20]', part: undefined }],
])('%s is a name on the Hub', (name, expected) => {
  expect(parseHubName(name)).toMatchObject(expected);
});

test.each([
  'name',
  './owner/name',
  '../owner/name',
  '/owner/name',
  '~/owner/name',
  'owner/name/more',
  'owner/..',
  '../..',
  'owner/na..me',
  'owner/na--me',
  'owner/name-',
  '-owner/name',
  'owner\\name',
  'C:/name',
  'data/rows.jsonl',
  'data/rows.jsonl[:10]',
  'models/base.gguf',
  'owner/name@../../x',
  'owner/name@a/../b',
  'owner/name:../../x.gguf',
  'owner/name:/etc/passwd',
  'owner/name:a\nb.gguf',
  'owner/name@',
  '',
])('%j is none', (name) => {
  expect(parseHubName(name)).toBeUndefined();
});

test.each(['a', 'a/b.c', 'ä/b c', '.hidden', '...'])('%j stays in its folder', (name) => {
  expect(isSafePath(name)).toBe(true);
});

test.each(['', '/a', 'a/', 'a//b', '.', '..', 'a/../b', 'a\\b', 'C:a', 'a\0b', 'a\nb', 'a\u2028b'])(
  '%j may lead elsewhere',
  (name) => {
    expect(isSafePath(name)).toBe(false);
  },
);
