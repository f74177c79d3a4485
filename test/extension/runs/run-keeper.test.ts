import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as vscode from 'vscode';
import { deleteRun } from '../../../server/protocol/runs.ts';
import { runSummary } from '../../support/run-summary.ts';
import { runsWindow } from '../../support/runs-window.ts';
import { shown, user } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const RUNS = ['a', 'b'].map((name) =>
  runSummary({ state: 'completed' }, { folder: `/runs/${name}` }),
);

/** What was asked, in full. */
const questions = () => shown.filter(({ to }) => to === 'warning').map(({ args }) => args);

beforeEach(() => {
  shown.length = 0;
});

afterEach(() => {
  user.answer = undefined;
  user.reply = undefined;
  Object.assign(vscode.env, { remoteName: undefined });
  vi.restoreAllMocks();
});

test('before a result is replaced it is said which one, and by what', async () => {
  const folder = '/home/me/runs/first';
  const run = runSummary({ state: 'completed', step: 40 }, { folder, adapter: folder });
  const { keeper, server } = await runsWindow([run]);
  await keeper.finish(run, `${folder}/checkpoint-20`);
  expect(shown).toMatchObject([
    {
      to: 'warning',
      args: [
        'Replace the result of first with checkpoint-20?',
        {
          detail:
            'The adapter of step 40, in /home/me/runs/first, becomes that of checkpoint-20. All checkpoints stay.',
        },
        'Replace',
      ],
    },
  ]);
  expect(server.asked).not.toContain('lorafa/runs/finish');
});

test('a run goes to the trash when one has read what goes with it', async () => {
  const { keeper, server, store } = await runsWindow(RUNS);
  const trash = vi.spyOn(vscode.workspace.fs, 'delete').mockImplementation(server.trash);
  const [run] = RUNS;
  await keeper.delete([run!]);
  expect(questions()).toMatchObject([
    [
      'Delete the run a in /runs/a?',
      {
        modal: true,
        detail: [
          'Result, journal and checkpoints (2), 1 KiB in all, go to the trash; where there is none, you are asked again.',
          'What was tried with them in the playground cannot be reached there any more.',
        ].join('\n'),
      },
      'Delete',
    ],
  ]);
  expect(trash).not.toHaveBeenCalled();
  user.answer = 'Delete';
  await keeper.delete([run!]);
  expect(trash.mock.calls.map(([uri, options]) => [uri.fsPath, options])).toEqual([
    ['/runs/a', { recursive: true, useTrash: true }],
  ]);
  expect(server.asked).not.toContain(deleteRun.method);
  expect(store.runs.map(({ folder }) => folder)).toEqual(['/runs/b']);
});

test('where there is no trash one is asked once more, for all runs, before they go for good', async () => {
  Object.assign(vscode.env, { remoteName: 'ssh-remote' });
  vi.spyOn(vscode.workspace.fs, 'delete').mockRejectedValue(new Error('no trash'));
  const { keeper, server, store } = await runsWindow(RUNS);
  user.answer = 'Delete';
  await keeper.delete(store.runs);
  expect(questions()).toMatchObject([
    ['Delete 2 runs?', {}, 'Delete'],
    [
      'Delete 2 runs for good?',
      { detail: 'a, b.\nThere is no trash here: 2 KiB go at once.' },
      'Delete for Good',
    ],
  ]);
  expect(server.asked).not.toContain(deleteRun.method);
  expect(store.runs).toHaveLength(2);
  user.reply = (_to, args) => args.at(-1);
  await keeper.delete(store.runs);
  expect([...server.disk.keys()]).toEqual([]);
  expect(store.runs).toEqual([]);
});

test('of many runs that cannot go to the trash the first are named, and how many more there are', async () => {
  const names = [...'abcdefghijkl'];
  const runs = names.map((name) => runSummary({ state: 'completed' }, { folder: `/runs/${name}` }));
  vi.spyOn(vscode.workspace.fs, 'delete').mockRejectedValue(new Error('no trash'));
  const { keeper } = await runsWindow(runs);
  user.answer = 'Delete';
  await keeper.delete(runs);
  expect(questions().at(-1)).toMatchObject([
    'Delete 12 runs for good?',
    { detail: expect.stringMatching(/^a, b, c, d, e, f, g, h, i, j, \+2\.\nIt could not/) },
    'Delete for Good',
  ]);
});

test('a run that is resumed while the question stands is not moved away', async () => {
  const { keeper, server, store } = await runsWindow(RUNS);
  const trash = vi.spyOn(vscode.workspace.fs, 'delete').mockImplementation(server.trash);
  user.reply = (_to, args) => {
    server.held.add('/runs/a');
    return args.at(-1);
  };
  await keeper.delete(store.runs);
  expect(trash.mock.calls.map(([uri]) => uri.fsPath)).toEqual(['/runs/b']);
  expect(shown.find(({ to }) => to === 'error')?.args[0]).toBe('/runs/a goes on.');
});
