import { expect, test, vi } from 'vitest';
import { canChat } from '../../../extension/models/can-chat.ts';
import { listAdapters, listModels, lookForChatTemplate } from '../../../server/protocol/models.ts';
import { foundAdapter } from '../../support/found-adapter.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const ADAPTERS = [
  foundAdapter('/runs/texts', { baseModel: '/models/texts' }),
  foundAdapter('/runs/talks', { baseModel: '/models/talks' }),
  foundAdapter('/runs/gone', { baseModel: '/models/gone' }),
  foundAdapter('/runs/alone'),
];

/** A server that knows these adapters, and which base models have a chat template. */
const server = {
  async ask({ method }: { readonly method: string }, subject: { readonly model: string }) {
    switch (method) {
      case listModels.method:
        return [];
      case listAdapters.method:
        return ADAPTERS;
      case lookForChatTemplate.method:
        if (subject.model.endsWith('gone')) throw new Error('There is no such model.');
        return subject.model.endsWith('talks');
      default:
        throw new Error(method);
    }
  },
};

test('one can chat with an adapter where its files have a chat template; where they are not here, nobody knows', async () => {
  const found = await Promise.all(
    [...ADAPTERS.map(({ path }) => path), '/runs/other'].map((folder) =>
      canChat(server as never, folder),
    ),
  );
  expect(found).toEqual([false, true, null, null, null]);
});
