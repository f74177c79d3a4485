import { expect, test, vi } from 'vitest';
import * as vscode from 'vscode';
import type { PlaygroundNews } from '../../../extension/playground/playground-messages.ts';
import { Playground } from '../../../extension/playground/playground-panel.ts';
import { listAdapters, listModels, lookForChatTemplate } from '../../../server/protocol/models.ts';
import { foundAdapter } from '../../support/found-adapter.ts';
import { Uri } from '../../support/vscode-files.ts';
import { OpenedPanel } from '../../support/webview-panel.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const FIRST = foundAdapter('/runs/first', { baseModel: '/base' });
const SECOND = { ...FIRST, path: '/runs/second', name: 'second' };

/** A playground whose page is open. */
async function openPlayground(templates?: boolean) {
  const asked: { readonly method: string; readonly params: object }[] = [];
  const adapters = [FIRST];
  const answers: Readonly<Record<string, unknown>> = {
    [listModels.method]: [],
    [listAdapters.method]: adapters,
  };
  const disk = new vscode.EventEmitter<void>();
  const playground = new Playground({
    extensionUri: Uri.file('/extension'),
    log: { error: () => undefined },
    server: {
      ask: async ({ method }: { method: string }, params: object) => {
        asked.push({ method, params });
        if (method === lookForChatTemplate.method && templates === undefined)
          throw new Error('gone');
        return method === lookForChatTemplate.method ? templates : answers[method];
      },
    },
    memory: {},
    onDidChangeAssets: disk.event,
  } as never);
  const panel = new OpenedPanel<PlaygroundNews>();
  await playground.deserializeWebviewPanel(panel as never);
  /** Names of the adapters that the page was last told of. */
  const offered = () => panel.last('catalog')?.adapters.map(({ name }) => name);
  return { playground, panel, disk, adapters, asked, offered };
}

test('what appears on disk can be picked as soon as the page is seen', async () => {
  const { panel, disk, adapters, offered } = await openPlayground();
  // The page is not there yet, and asks for itself when it is.
  disk.fire();
  expect(panel.told).toEqual([]);
  panel.ask({ type: 'catalog' });
  await vi.waitFor(() => expect(offered()).toEqual(['first']));

  adapters.push(SECOND);
  disk.fire();
  await vi.waitFor(() => expect(offered()).toEqual(['first', 'second']));

  panel.show(false);
  adapters.pop();
  disk.fire();
  const before = panel.told.length;
  panel.show(true);
  await vi.waitFor(() => expect(offered()).toEqual(['first']));
  panel.show(true);
  await new Promise(setImmediate);
  expect(panel.told.length).toBe(before + 1);
});

test('an adapter that is to be tried and is not there is told, whatever is picked', async () => {
  const { playground, panel, offered } = await openPlayground();
  panel.ask({ type: 'catalog' });
  await vi.waitFor(() => expect(offered()).toEqual(['first']));
  await playground.show({ adapter: '/runs/first' });
  expect(panel.told.at(-1)).toMatchObject({ type: 'catalog', picked: '/runs/first' });
  await playground.show({ adapter: '/runs/gone' });
  expect(panel.told.at(-1)).toEqual({
    type: 'problem',
    message: '/runs/gone holds no LoRA adapter that can be read.',
  });
});

test('what an adapter is opened for is shown, and takes the focus', async () => {
  const { playground, panel, offered } = await openPlayground();
  panel.ask({ type: 'catalog' });
  await vi.waitFor(() => expect(offered()).toEqual(['first']));
  await playground.show({ adapter: '/runs/first', tab: 'prompt', prompt: 'Hi' });
  // The prompt is there before the focus is.
  expect(panel.told.slice(-2)).toEqual([
    { type: 'prompt', prompt: 'Hi' },
    { type: 'tab', tab: 'prompt' },
  ]);
});

test.each([
  [true, true],
  [false, false],
  [undefined, null],
])('whether one can chat is what the files say: %s is told as %s', async (found, told) => {
  const { panel, asked } = await openPlayground(found);
  const subject = { model: '/base', adapter: '/runs/first' };
  panel.ask({ type: 'chat', ...subject });
  await vi.waitFor(() =>
    expect(panel.last('chat')).toEqual({ type: 'chat', ...subject, hasTemplate: told }),
  );
  expect(asked).toEqual([{ method: lookForChatTemplate.method, params: subject }]);
});
