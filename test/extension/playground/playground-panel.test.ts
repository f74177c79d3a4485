import { mkdir, rename, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import * as vscode from 'vscode';
import type { KnownDevice } from '../../../extension/doctor/known-devices.ts';
import type {
  HistoryEntry,
  HistoryRequest,
  PlaygroundNews,
} from '../../../extension/playground/playground-messages.ts';
import { Playground } from '../../../extension/playground/playground-panel.ts';
import type { AssetChange } from '../../../extension/views/views.ts';
import { listAdapters, listModels, lookForChatTemplate } from '../../../server/protocol/models.ts';
import { foundAdapter } from '../../support/found-adapter.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { Uri } from '../../support/vscode-files.ts';
import { OpenedPanel } from '../../support/webview-panel.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const FIRST = foundAdapter('/runs/first', { baseModel: '/base' });
const SECOND = { ...FIRST, path: '/runs/second', name: 'second' };

const ENTRY: HistoryEntry = {
  time: '2026-01-01T00:00:00Z',
  question: { mode: 'chat', context: [], prompt: 'Hi', expected: null },
  answers: [],
  turns: [],
};

/**
 * A playground whose page is open.
 *
 * @param looked called whenever the server is asked
 */
async function openPlayground(templates?: boolean, looked?: (method: string) => unknown) {
  const asked: { readonly method: string; readonly params: object }[] = [];
  const adapters = [FIRST];
  const answers: Readonly<Record<string, () => unknown>> = {
    [listModels.method]: () => [],
    [listAdapters.method]: () => [...adapters],
  };
  const kept = new Map<string, unknown>();
  const disk = new vscode.EventEmitter<AssetChange>();
  const forgotten = new vscode.EventEmitter<void>();
  const devices: KnownDevice[] = [];
  const playground = new Playground({
    extensionUri: Uri.file('/extension'),
    log: { error: () => undefined },
    server: {
      ask: async ({ method }: { method: string }, params: object) => {
        asked.push({ method, params });
        const answer = answers[method]?.();
        await looked?.(method);
        if (method === lookForChatTemplate.method && templates === undefined)
          throw new Error('gone');
        return method === lookForChatTemplate.method ? templates : answer;
      },
    },
    memory: {
      get: (key: string, initial: unknown) => kept.get(key) ?? initial,
      update: async (key: string, value: unknown) => void kept.set(key, value),
    },
    onDidChangeAssets: disk.event,
    devices: { lookAside: async () => [...devices], onDidForget: forgotten.event },
  } as never);
  const panel = new OpenedPanel<PlaygroundNews>();
  await playground.deserializeWebviewPanel(panel as never);
  /** Names of the adapters that the page was last told of. */
  const offered = () => panel.last('catalog')?.adapters.map(({ name }) => name);
  return { playground, panel, disk, adapters, asked, offered, devices, forgotten };
}

test('the devices that there are can be picked, and others when that changes', async () => {
  const { panel, devices, forgotten } = await openPlayground();
  devices.push({ name: 'cpu', facts: ['2 cores', '8.0 GiB'], problem: null });
  panel.ask({ type: 'catalog' });
  const told = () => panel.last('devices')?.devices;
  const cpu = { name: 'cpu', label: 'cpu · 2 cores · 8.0 GiB', problem: null };
  await vi.waitFor(() => expect(told()).toEqual([cpu]));
  devices.push({ name: 'cuda:0', facts: ['NVIDIA T4'], problem: 'No driver.' });
  forgotten.fire();
  const gpu = { name: 'cuda:0', label: 'cuda:0 · NVIDIA T4 · not usable', problem: 'No driver.' };
  await vi.waitFor(() => expect(told()).toEqual([cpu, gpu]));
});

test('what appears on disk can be picked as soon as the page is seen', async () => {
  const { panel, disk, adapters, offered } = await openPlayground();
  // The page is not there yet, and asks for itself when it is.
  disk.fire('adapters');
  expect(panel.told).toEqual([]);
  panel.ask({ type: 'catalog' });
  await vi.waitFor(() => expect(offered()).toEqual(['first']));

  adapters.push(SECOND);
  disk.fire('adapters');
  await vi.waitFor(() => expect(offered()).toEqual(['first', 'second']));

  panel.show(false);
  adapters.pop();
  disk.fire('adapters');
  const before = panel.told.length;
  panel.show(true);
  await vi.waitFor(() => expect(offered()).toEqual(['first']));
  panel.show(true);
  await new Promise(setImmediate);
  expect(panel.told.length).toBe(before + 1);
});

test('while a run writes checkpoints nobody looks for base models', async () => {
  const { panel, disk, adapters, asked, offered } = await openPlayground();
  panel.ask({ type: 'catalog' });
  await vi.waitFor(() => expect(panel.last('catalog')?.isWhole).toBe(true));
  asked.length = 0;
  adapters.push(SECOND);
  disk.fire('adapters');
  await vi.waitFor(() => expect(offered()).toEqual(['first', 'second']));
  expect(panel.last('catalog')?.isWhole).toBe(false);
  expect(asked.map(({ method }) => method)).toEqual([listAdapters.method]);
  disk.fire('all');
  await vi.waitFor(() => expect(panel.last('catalog')?.isWhole).toBe(true));
});

test('of an adapter that is renamed the old name is not told after the new one', async () => {
  const move = { from: FIRST.path, to: SECOND.path };
  const { playground, panel, adapters, offered } = await openPlayground(true, async (method) => {
    if (method !== listAdapters.method || adapters[0] === SECOND) return;
    // What is answered was read before.
    adapters.splice(0, 1, SECOND);
    await playground.follow(move);
  });
  panel.ask({ type: 'catalog' });
  await vi.waitFor(() => expect(offered()).toEqual(['second']));
  expect(panel.told.filter(({ type }) => type === 'catalog')).toHaveLength(1);
});

test('names that adapters got before the page was there it hears first of all', async () => {
  const { playground, panel, offered } = await openPlayground();
  const move = { from: '/runs/old', to: FIRST.path };
  await playground.follow(move);
  expect(panel.told).toEqual([]);
  panel.ask({ type: 'catalog' });
  await vi.waitFor(() => expect(offered()).toEqual(['first']));
  expect(panel.told[0]).toEqual({ type: 'moved', ...move });
});

test('what is tried while an adapter gets another name is told of the new one', async () => {
  const { playground, panel } = await openPlayground();
  panel.ask({ type: 'catalog' });
  panel.ask({ type: 'history', subject: FIRST.path, change: ENTRY });
  await playground.follow({ from: FIRST.path, to: SECOND.path });
  await vi.waitFor(() =>
    expect(panel.last('history')).toMatchObject({ subject: SECOND.path, entries: [ENTRY] }),
  );
});

test('what was tried with an adapter that was deleted is not shown for another at its path', async () => {
  const subject = path.join(await tempFolder(), 'mine');
  // Not every file system tells when a folder was made; which one it is, all do.
  const ofDisk = vscode.workspace.fs.stat;
  const spy = vi.spyOn(vscode.workspace.fs, 'stat');
  spy.mockImplementation(async (uri) => {
    const [known, { ino }] = await Promise.all([ofDisk(uri), stat(uri.fsPath)]);
    return { ...known, ctime: ino };
  });
  onTestFinished(() => spy.mockRestore());
  const { panel } = await openPlayground();
  const told = async (change: HistoryRequest['change']) => {
    const histories = () => panel.told.filter(({ type }) => type === 'history').length;
    const before = histories();
    panel.ask({ type: 'history', subject, change });
    await vi.waitFor(() => expect(histories()).toBe(before + 1));
    return panel.last('history')?.entries.length;
  };
  await mkdir(subject);
  expect(await told(ENTRY)).toBe(1);
  await rename(subject, `${subject}-trash`);
  await mkdir(subject);
  expect(await told(null)).toBe(0);
  await rmdir(subject);
  await rename(`${subject}-trash`, subject);
  expect(await told(null)).toBe(1);
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
