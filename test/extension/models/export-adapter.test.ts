import { beforeEach, expect, test, vi } from 'vitest';
import { AdapterExports } from '../../../extension/models/export-adapter.ts';
import { listAdapters, listModels, requireAdapter } from '../../../server/protocol/models.ts';
import { foundAdapter } from '../../support/found-adapter.ts';
import { shown } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

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
  const exports = new AdapterExports(server as never);
  await expect(exports.run(adapter.path)).rejects.toThrow(problem);
  expect(shown).toEqual([]);
});
