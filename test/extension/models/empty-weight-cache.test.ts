import { beforeEach, expect, test, vi } from 'vitest';
import { emptyCacheOfWeights } from '../../../extension/models/empty-weight-cache.ts';
import type { ServerLink } from '../../../extension/server-link.ts';
import { emptyWeightCache, listWeightCache } from '../../../server/protocol/machine.ts';
import { shown, user } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

beforeEach(() => {
  shown.length = 0;
  user.answer = undefined;
});

/** A cache of weights of 2 GiB each, and what the server is asked for. */
function cacheOf(models: Readonly<Record<string, 'in use' | 'unused'>>) {
  const entries = Object.entries(models).map(([model, use]) => ({
    model,
    bytes: 2 ** 31,
    isInUse: use === 'in use',
  }));
  const asked: string[] = [];
  const ask = ({ method }: { readonly method: string }): Promise<unknown> => {
    asked.push(method);
    // The answer was to the question.
    user.answer = undefined;
    return Promise.resolve(
      method === listWeightCache.method
        ? entries
        : { removed: entries.filter(({ isInUse }) => !isInUse), kept: [] },
    );
  };
  return { server: { ask } as unknown as ServerLink, asked };
}

test('says how much goes and asks; nothing is removed without a yes', async () => {
  const { server, asked } = cacheOf({ a: 'unused', b: 'unused', c: 'in use' });
  await emptyCacheOfWeights(server);
  const [question, options, action] = shown[0]!.args as [string, { detail: string }, string];
  expect(question).toBe('Empty the weight cache?');
  expect(action).toBe('Remove 4.0 GiB');
  expect(options.detail).toMatch(/weights of a, b are removed\. .* What is in use now stays\.$/);
  expect(asked).not.toContain(emptyWeightCache.method);

  const emptied = emptyCacheOfWeights(server);
  // Given when the question stands there.
  user.answer = action;
  await emptied;
  expect(asked.at(-1)).toBe(emptyWeightCache.method);
  const told = { to: 'information', args: ['4.0 GiB of weights were removed.'] };
  await vi.waitFor(() => expect(shown.at(-1)).toEqual(told));
});

test.each([
  [{}, 'The weight cache is empty.'],
  [{ a: 'in use' as const }, 'All weights in the cache are in use.'],
])('of %j nothing can be removed', async (models, text) => {
  await emptyCacheOfWeights(cacheOf(models).server);
  await vi.waitFor(() => expect(shown).toEqual([{ to: 'information', args: [text] }]));
});
