import { beforeEach, expect, test, vi } from 'vitest';
import type { Memento } from 'vscode';
import { AdapterExports } from '../../../extension/models/export-adapter.ts';
import { listAdapters, listModels, requireAdapter } from '../../../server/protocol/models.ts';
import { foundAdapter } from '../../support/found-adapter.ts';
import { shown } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

function memoryOf(stored: Map<string, unknown>): Memento {
  return {
    keys: () => [...stored.keys()],
    get: (key: string, otherwise?: unknown) => stored.get(key) ?? otherwise,
    update: async (key: string, value: unknown) => void stored.set(key, value),
  } as Memento;
}

test('an export that a reload ended is told of, once, and can be begun again', async () => {
  const work = { name: '/exports/first-merged', adapter: '/runs/first' };
  const memory = memoryOf(new Map([['lorafa.exports', [work]]]));
  const exports = new AdapterExports({ listen: () => undefined } as never, memory);
  const again = vi.fn(async () => undefined);
  await exports.tellInterrupted(again);
  await exports.tellInterrupted(again);
  expect(shown.map(({ args }) => args[0])).toEqual([
    'The export to /exports/first-merged ended when the window was closed or reloaded; nothing of it is kept.',
  ]);
  await (shown[0]!.args[1] as { run(): Promise<void> }).run();
  expect(again).toHaveBeenCalledWith('/runs/first');
});

beforeEach(() => {
  shown.length = 0;
});

test('an adapter that is damaged is refused before anybody is asked where it goes', async () => {
  const adapter = foundAdapter('/runs/first');
  const problem = '/runs/first/adapter_model.safetensors is damaged; copy it again.';
  const answers = new Map<string, () => unknown>([
    [listModels.method, () => []],
    [listAdapters.method, () => [adapter]],
    [
      requireAdapter.method,
      () => {
        throw new Error(problem);
      },
    ],
  ]);
  const server = {
    ask: async ({ method }: { method: string }) => answers.get(method)!(),
    listen: () => undefined,
  };
  const exports = new AdapterExports(server as never, memoryOf(new Map()));
  await expect(exports.run(adapter.path)).rejects.toThrow(problem);
  expect(shown).toEqual([]);
});
