import { beforeEach, expect, test, vi } from 'vitest';
import { chooseAdapter } from '../../../extension/models/choose-adapter.ts';
import { listAdapters, listModels, requireAdapter } from '../../../server/protocol/models.ts';
import { foundAdapter } from '../../support/found-adapter.ts';
import { shown } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const MINE = foundAdapter('/mine');
const SAVED = foundAdapter('/first/checkpoint-5', { checkpointOf: '/first' });

/** A server that knows two adapters, and says of others what is given. */
function serverThatSays(problem?: string) {
  const answers = new Map<string, () => unknown>([
    [listModels.method, () => []],
    [listAdapters.method, () => [MINE, SAVED]],
    [
      requireAdapter.method,
      () => {
        if (problem !== undefined) throw new Error(problem);
      },
    ],
  ]);
  return { ask: async ({ method }: { method: string }) => answers.get(method)!() } as never;
}

beforeEach(() => {
  shown.length = 0;
});

test('of one that is gone the server says why, and the views look again', async () => {
  const gone = 'checkpoint-3 of first is not there any more: so it is.';
  await expect(chooseAdapter(serverThatSays(gone), '/first/checkpoint-3', '')).rejects.toThrow(
    gone,
  );
  expect(shown).toContainEqual({ to: 'command', args: ['lorafa.refreshViews'] });
  await expect(chooseAdapter(serverThatSays(), '/other', '')).rejects.toThrow(
    '/other holds no LoRA adapter that can be read.',
  );
});

test('only what may be chosen is offered', async () => {
  await chooseAdapter(serverThatSays(), undefined, 'Which?', ({ checkpointOf }) => !checkpointOf);
  expect(shown.at(-1)?.args[0]).toMatchObject([{ row: { adapter: MINE } }]);
});
