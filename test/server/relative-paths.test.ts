import { expect, test } from 'vitest';
import { pathsFrom } from '../../server/relative-paths.ts';

const BOT = { name: 'bot', path: '/home/me/bot' };
const MODELS = { name: 'models', path: '/home/me/models' };

test.each([
  ['The data /home/me/bot/data/rows.jsonl is damaged.', 'The data data/rows.jsonl is damaged.'],
  ['"/home/me/bot/a" and (/home/me/bot/b)', '"a" and (b)'],
  ['/home/me/bot holds a run', '/home/me/bot holds a run'],
  ['/mnt/home/me/bot/a and ~/home/me/bot/b', '/mnt/home/me/bot/a and ~/home/me/bot/b'],
  ['/home/me/bot-2/a', '/home/me/bot-2/a'],
])('%s', (text, shown) => {
  expect(pathsFrom(text, [BOT])).toBe(shown);
});

test('with several folders a path begins with the name of its own', () => {
  const text = '/home/me/models/base and /home/me/bot/a';
  expect(pathsFrom(text, [BOT, MODELS])).toBe('models/base and bot/a');
});

test('a folder that is the root of all hides nothing', () => {
  expect(pathsFrom('/a/b', [{ name: '/', path: '/' }])).toBe('/a/b');
});
