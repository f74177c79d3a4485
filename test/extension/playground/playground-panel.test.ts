import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import type { PlaygroundNews } from '../../../extension/playground/playground-messages.ts';
import { Playground } from '../../../extension/playground/playground-panel.ts';
import { type FoundAdapter, listAdapters, listModels } from '../../../server/protocol.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const FIRST: FoundAdapter = {
  ...{ path: '/runs/first', name: 'first', baseModel: '/base', rank: 8, modified: '2026-01-01' },
  ...{ checkpointOf: null, problem: null, quantization: null },
};
const SECOND: FoundAdapter = { ...FIRST, path: '/runs/second', name: 'second' };

/** A playground whose page is open, and what the page is told. */
async function openPlayground() {
  const events = new EventEmitter();
  const on = (name: string) => (handler: () => void) => {
    events.on(name, handler);
    return { dispose: () => events.off(name, handler) };
  };
  const told: PlaygroundNews[] = [];
  const adapters = [FIRST];
  const answers: Readonly<Record<string, unknown>> = {
    [listModels.method]: [],
    [listAdapters.method]: adapters,
  };
  const playground = new Playground({
    extensionUri: { path: '/extension', fsPath: '/extension' },
    log: { error: () => undefined },
    server: { ask: async ({ method }: { method: string }) => answers[method] },
    memory: {},
    onDidChangeAssets: on('disk'),
  } as never);
  const panel = {
    visible: true,
    title: 'Playground',
    onDidChangeViewState: on('viewState'),
    onDidDispose: on('dispose'),
    reveal: () => undefined,
    webview: {
      asWebviewUri: String,
      onDidReceiveMessage: on('message'),
      postMessage: async (news: PlaygroundNews) => told.push(news),
    },
  };
  await playground.deserializeWebviewPanel(panel as never);
  return { playground, panel, events, told, adapters };
}

/** Names of the adapters that the page was last told of. */
function offered(told: readonly PlaygroundNews[]): readonly string[] | undefined {
  const news = told.findLast(({ type }) => type === 'catalog');
  return news?.type === 'catalog' ? news.adapters.map(({ name }) => name) : undefined;
}

test('what appears on disk can be picked as soon as the page is seen', async () => {
  const { panel, events, told, adapters } = await openPlayground();
  // The page is not there yet, and asks for itself when it is.
  events.emit('disk');
  expect(told).toEqual([]);
  events.emit('message', { type: 'catalog' });
  await vi.waitFor(() => expect(offered(told)).toEqual(['first']));

  adapters.push(SECOND);
  events.emit('disk');
  await vi.waitFor(() => expect(offered(told)).toEqual(['first', 'second']));

  panel.visible = false;
  adapters.pop();
  events.emit('disk');
  const before = told.length;
  events.emit('viewState');
  panel.visible = true;
  events.emit('viewState');
  await vi.waitFor(() => expect(offered(told)).toEqual(['first']));
  expect(told.length).toBe(before + 1);
  events.emit('viewState');
  await new Promise(setImmediate);
  expect(told.length).toBe(before + 1);
});

test('an adapter that is to be tried and is not there is told, whatever is picked', async () => {
  const { playground, events, told } = await openPlayground();
  events.emit('message', { type: 'catalog' });
  await vi.waitFor(() => expect(offered(told)).toEqual(['first']));
  await playground.show({ adapter: '/runs/first' });
  expect(told.at(-1)).toMatchObject({ type: 'catalog', picked: '/runs/first' });
  await playground.show({ adapter: '/runs/gone' });
  expect(told.at(-1)).toEqual({
    type: 'problem',
    message: '/runs/gone holds no LoRA adapter that can be read.',
  });
});
