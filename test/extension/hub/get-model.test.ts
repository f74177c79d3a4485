import { beforeEach, expect, test, vi } from 'vitest';
import { ResponseError } from 'vscode-jsonrpc';
import { GetModel } from '../../../extension/hub/get-model.ts';
import { downloadModel } from '../../../server/protocol/hub.ts';
import { RPC_ERRORS } from '../../../server/rpc/message.ts';
import { shown } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

/** A window that opens after one in which a download was under way. */
async function reopened(answer: () => unknown) {
  const stored = new Map<string, unknown>([
    ['lorafa.downloads', [{ name: 'org/model', nf4: false }]],
  ]);
  const memory = {
    get: (key: string, otherwise: unknown) => stored.get(key) ?? otherwise,
    update: async (key: string, value: unknown) => void stored.set(key, value),
  };
  const asked: unknown[] = [];
  const server = {
    listen: () => undefined,
    ask: async ({ method }: { method: string }, params: unknown) => {
      asked.push([method, params]);
      return answer();
    },
  };
  const log = { error: () => undefined };
  const refresh = vi.fn(async () => undefined);
  const models = new GetModel({ server, log } as never, memory as never, {
    refresh,
    configure: async () => undefined,
  });
  await models.offerInterrupted();
  await vi.waitFor(() => expect(shown).toHaveLength(1));
  const [, goOn] = shown[0]!.args as [string, { run(): Promise<void> }];
  await goOn.run();
  return { asked, refresh, remembered: () => memory.get('lorafa.downloads', []) };
}

beforeEach(() => {
  shown.length = 0;
});

test('a download that a reload ended is offered again, once', async () => {
  const { asked, refresh, remembered } = await reopened(() => '/place');
  expect(shown[0]).toMatchObject({
    to: 'warning',
    args: [
      'Getting org/model ended when the window was closed or reloaded; what has come of it is kept.',
      { title: 'Go On' },
    ],
  });
  expect(refresh).toHaveBeenCalled();
  expect(asked).toEqual([[downloadModel.method, { name: 'org/model' }]]);
  expect(remembered()).toEqual([]);
});

test.each([
  ['the connection ended', new Error('Connection got disposed.'), 1],
  [
    'the Hub refused it',
    new ResponseError(RPC_ERRORS.failed, 'No.', { code: 'hub.forbidden', problems: [] }),
    0,
  ],
])('is remembered as long as nobody knows how it ended: %s', async (_name, error, count) => {
  const { remembered } = await reopened(() => {
    throw error;
  });
  await vi.waitFor(() => expect(shown.some(({ to }) => to === 'error')).toBe(true));
  expect(remembered()).toHaveLength(count);
});
