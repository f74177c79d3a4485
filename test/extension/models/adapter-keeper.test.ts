import { beforeEach, expect, test, vi } from 'vitest';
import * as vscode from 'vscode';
import type { FolderMove } from '../../../extension/folder-move.ts';
import { AdapterKeeper } from '../../../extension/models/adapter-keeper.ts';
import type { UsableAdapter } from '../../../extension/models/model-catalog.ts';
import {
  deleteAdapter,
  listAdapters,
  listModels,
  measureAdapter,
  renameAdapter,
} from '../../../server/protocol/models.ts';
import { foundAdapter } from '../../support/found-adapter.ts';
import { shown, user } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const MINE = foundAdapter('/models/mine');
const RESULT = foundAdapter('/runs/first', { isResult: true });
const SAVED = foundAdapter('/runs/first/checkpoint-5', { checkpointOf: '/runs/first' });

/** A keeper whose server knows three adapters and writes down what it is asked to change. */
function keeper(footprint: object = { paths: [MINE.path], bytes: 2 * 2 ** 20, others: [] }) {
  const asked: object[] = [];
  const change = (answer: object) => (params: object) => {
    asked.push(params);
    return answer;
  };
  const answers = new Map<string, (params: object) => unknown>([
    [listModels.method, () => []],
    [listAdapters.method, (): readonly UsableAdapter[] => [MINE, RESULT, SAVED]],
    [measureAdapter.method, () => footprint],
    [deleteAdapter.method, change({})],
    [renameAdapter.method, change({ folder: '/models/yours' })],
  ]);
  const moves = new vscode.EventEmitter<FolderMove>();
  const moved: FolderMove[] = [];
  moves.event((move) => moved.push(move));
  const server = {
    ask: async ({ method }: { method: string }, params: object) => answers.get(method)!(params),
  };
  const selected: string[] = [];
  const leaving: string[] = [];
  const view = {
    select: async (folder: string) => void selected.push(folder),
    whileRowGoes: async (folder: string, action: () => Promise<void>) => {
      leaving.push(folder);
      await action();
    },
  };
  const made = new AdapterKeeper(server as never, moves, view);
  return { keeper: made, asked, moved, selected, leaving };
}

const commands = () =>
  shown.filter(({ to }) => to === 'command').map(({ args }) => args.slice(0, 2));

beforeEach(() => {
  shown.length = 0;
  user.answer = undefined;
  Object.assign(vscode.env, { remoteName: undefined });
  vi.restoreAllMocks();
});

test('an adapter goes to the trash when one has read what is lost, and what stays', async () => {
  const trash = vi.spyOn(vscode.workspace.fs, 'delete').mockResolvedValue();
  const paths = ['/models/mine/adapter_config.json', '/models/mine/adapter_model.safetensors'];
  const {
    keeper: adapters,
    asked,
    leaving,
  } = keeper({ paths, bytes: 2 * 2 ** 20, others: ['README.md'] });
  await adapters.delete(MINE.path);
  expect(trash).not.toHaveBeenCalled();
  expect(shown.at(-1)).toMatchObject({
    to: 'warning',
    args: [
      'Delete the adapter mine?',
      {
        modal: true,
        detail: [
          'Its 2 files in /models/mine (2 MiB) go to the trash; where there is none, you are asked again.',
          'Nothing else here can make again what it has learned.',
          'What is not the adapter’s stays: README.md.',
        ].join('\n'),
      },
      'Delete',
    ],
  });
  user.answer = 'Delete';
  await adapters.delete(MINE.path);
  expect(trash.mock.calls.map(([uri, options]) => [uri.fsPath, options])).toEqual(
    paths.map((file) => [file, { recursive: true, useTrash: true }]),
  );
  expect(asked).toEqual([]);
  expect(leaving).toEqual([MINE.path, MINE.path]);
});

test('where there is no trash one is asked again before anything goes for good', async () => {
  Object.assign(vscode.env, { remoteName: 'ssh-remote' });
  vi.spyOn(vscode.workspace.fs, 'delete').mockRejectedValue(new Error('no trash'));
  const { keeper: adapters, asked } = keeper();
  const ask = vi.spyOn(vscode.window, 'showWarningMessage');
  ask.mockResolvedValueOnce('Delete' as never);
  await adapters.delete(SAVED.path);
  expect(ask.mock.calls.map(([text]) => text)).toEqual([
    'Delete the checkpoint checkpoint-5?',
    'Delete checkpoint-5 for good?',
  ]);
  expect(JSON.stringify(ask.mock.calls[0])).toContain(
    'The run first can no more be resumed from there.\\nThe run, its result and its other checkpoints stay.',
  );
  expect(asked).toEqual([]);
  ask.mockResolvedValueOnce('Delete' as never).mockResolvedValueOnce('Delete for Good' as never);
  await adapters.delete(SAVED.path);
  expect(asked).toEqual([{ folder: SAVED.path }]);
});

test.each([
  { remoteName: undefined, code: 'Unknown', says: 'It could not be moved to the trash: full' },
  { remoteName: 'wsl', code: 'NoPermissions', says: 'It could not be moved to the trash: full' },
  { remoteName: 'wsl', code: 'Unknown', says: 'There is no trash here' },
])('with the remote $remoteName a failure of code $code is told as "$says"', async (given) => {
  Object.assign(vscode.env, { remoteName: given.remoteName });
  const error = Object.assign(new vscode.FileSystemError('full'), { code: given.code });
  vi.spyOn(vscode.workspace.fs, 'delete').mockRejectedValue(error);
  const ask = vi.spyOn(vscode.window, 'showWarningMessage');
  ask.mockResolvedValueOnce('Delete' as never);
  await keeper().keeper.delete(MINE.path);
  expect(ask.mock.lastCall).toMatchObject([
    'Delete mine for good?',
    { detail: expect.stringContaining(given.says) },
    'Delete for Good',
  ]);
});

test('an adapter that is renamed is told of; a closed question changes nothing', async () => {
  const { keeper: adapters, asked, moved, selected } = keeper();
  await adapters.rename(MINE.path);
  expect(asked).toEqual([]);
  user.answer = ' yours ';
  await adapters.rename(MINE.path);
  expect(asked).toEqual([{ folder: MINE.path, name: 'yours' }]);
  expect(moved).toEqual([{ from: MINE.path, to: '/models/yours' }]);
  expect(selected).toEqual(['/models/yours']);
});

test('what a run has come to is renamed and deleted with the run', async () => {
  const { keeper: adapters, asked } = keeper();
  await adapters.rename(RESULT.path);
  await adapters.delete(RESULT.path);
  // A row of a run that has only checkpoints.
  await adapters.delete({ folder: '/runs/early', adapter: null, checkpoints: [] });
  expect(commands()).toEqual([
    ['lorafa.renameRun', '/runs/first'],
    ['lorafa.deleteRun', '/runs/first'],
    ['lorafa.deleteRun', '/runs/early'],
  ]);
  expect(asked).toEqual([]);
});

test('a checkpoint keeps its name, and one is led to its run', async () => {
  const { keeper: adapters, asked } = keeper();
  await adapters.rename(SAVED.path);
  expect(shown.at(-1)?.args[0]).toBe(
    'A checkpoint is named after its step: rename its run, first.',
  );
  expect(asked).toEqual([]);
});
