import { expect, test } from 'vitest';
import { ByWriter, writerId } from '../../../media/playground/by-writer.ts';

test.each([
  ['before', ['/gone', '/a']],
  ['after', ['/a', '/gone']],
])('one that takes the name of another that was there %s it keeps its own', (_, adapters) => {
  const kept = new ByWriter<string[]>(() => []);
  for (const adapter of adapters) kept.of(writerId('model', adapter)).push(adapter);
  kept.of(writerId('model', null)).push('base');
  kept.follow({ from: '/a', to: '/gone' });
  expect(kept.all).toEqual([
    [writerId('model', '/gone'), ['/a']],
    [writerId('model', null), ['base']],
  ]);
});
