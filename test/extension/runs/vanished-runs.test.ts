import { beforeEach, expect, test, vi } from 'vitest';
import { ResponseError } from 'vscode-jsonrpc';
import { RunActions } from '../../../extension/runs/run-actions.ts';
import { RunKeeper } from '../../../extension/runs/run-keeper.ts';
import { RunStore } from '../../../extension/runs/run-store.ts';
import { RunTargets } from '../../../extension/runs/run-targets.ts';
import { deleteRun, listRuns, lookAtRun, measureRun } from '../../../server/protocol.ts';
import { RPC_ERRORS } from '../../../server/rpc/message.ts';
import { runSummary } from '../../support/run-summary.ts';
import { shown, user } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const RUNS = ['a', 'b', 'c'].map((name) =>
  runSummary({ state: 'completed' }, { folder: `/runs/${name}` }),
);

function failure(code: string, message: string): ResponseError<unknown> {
  return new ResponseError(RPC_ERRORS.failed, message, { code });
}

/** A window that knows three runs, whose folders are on a disk. */
async function world() {
  const disk = new Set(RUNS.map(({ folder }) => folder));
  const locked = new Set<string>();
  const requirePresent = (folder: string): void => {
    if (!disk.has(folder)) throw failure('output.not_found', `${folder} is gone.`);
    if (locked.has(folder)) throw failure('usage.invalid', `${folder} goes on.`);
  };
  const answers: Readonly<Record<string, (folder: string) => unknown>> = {
    [listRuns.method]: () => RUNS,
    [lookAtRun.method]: (folder) =>
      RUNS.find((run) => run.folder === folder && disk.has(folder)) ?? null,
    [measureRun.method]: (folder) => {
      requirePresent(folder);
      return { bytes: 1, checkpoints: 0, others: [] };
    },
    [deleteRun.method]: (folder) => {
      requirePresent(folder);
      disk.delete(folder);
      return { bytes: 1, others: [] };
    },
  };
  const server = {
    listen: () => undefined,
    onDidStart: () => ({ dispose: () => undefined }),
    start: async (): Promise<void> => undefined,
    ask: async ({ method }: { method: string }, { folder }: { folder: string }) =>
      answers[method]!(folder),
  };
  const memory = { get: (_key: string, otherwise: unknown) => otherwise, update: async () => {} };
  const log = { error: () => undefined, show: () => undefined };
  const store = new RunStore(server as never, memory as never, log as never);
  await store.refresh();
  const context = { server, store, log } as never;
  const keeper = new RunKeeper(context);
  const actions = new RunActions(context, keeper);
  const targets = new RunTargets(store, actions, {} as never, {} as never);
  return {
    disk,
    locked,
    server,
    store,
    keeper,
    targets,
    names: () => store.runs.map(({ name }) => name),
  };
}

/** Notifications: their kinds and texts. */
function told(): readonly (readonly [string, unknown])[] {
  return shown
    .filter(({ to }) => ['error', 'warning', 'information'].includes(to))
    .map(({ to, args }) => [to, args[0]]);
}

beforeEach(() => {
  shown.length = 0;
  user.answer = undefined;
});

test('a command on a run that vanished says so once, and the run leaves the list', async () => {
  const { disk, targets, names } = await world();
  disk.delete('/runs/b');
  expect(await targets.one('/runs/b', { title: 'Which?' })).toBeUndefined();
  expect(told()).toEqual([['warning', 'The run in /runs/b is not there any more.']]);
  expect(names()).toEqual(['a', 'c']);
});

test('a server that does not start is told once, and nothing is done', async () => {
  const { server, targets } = await world();
  server.start = () => Promise.reject(new Error('It does not start.'));
  expect(await targets.one('/runs/b', { title: 'Which?' })).toBeUndefined();
  expect(await targets.several(undefined, RUNS, { title: 'Which?' })).toBeUndefined();
  expect(told()).toEqual([
    ['error', 'It does not start.'],
    ['error', 'It does not start.'],
  ]);
});

test('of several runs those are taken that are still there', async () => {
  const { disk, targets, names } = await world();
  disk.delete('/runs/a');
  disk.delete('/runs/b');
  const runs = await targets.several(undefined, RUNS, { title: 'Which?' });
  expect(runs?.map(({ name }) => name)).toEqual(['c']);
  expect(told()).toEqual([['warning', '2 runs are not there any more: a, b.']]);
  expect(names()).toEqual(['c']);
  disk.clear();
  expect(await targets.several(undefined, RUNS, { title: 'Which?' })).toBeUndefined();
});

test('runs are deleted although one of them vanished, before the question or behind it', async () => {
  const { disk, store, keeper, names } = await world();
  user.answer = 'Delete';
  disk.delete('/runs/b');
  await keeper.delete(store.runs);
  expect(told().map(([, text]) => text)).toEqual(['Delete 2 runs?']);
  expect([...disk]).toEqual([]);
  expect(names()).toEqual([]);

  const later = await world();
  user.answer = new Promise((answer) => {
    later.disk.delete('/runs/c');
    answer('Delete');
  });
  await later.keeper.delete(later.store.runs);
  expect([...later.disk]).toEqual([]);
  expect(later.names()).toEqual([]);
});

test('a run that cannot be deleted is told, and stays alone', async () => {
  const { disk, locked, store, keeper, names } = await world();
  user.answer = 'Delete';
  locked.add('/runs/a');
  await keeper.delete(store.runs);
  expect(told()).toEqual([
    ['error', '/runs/a goes on.'],
    ['warning', 'Delete 2 runs?'],
  ]);
  expect([...disk]).toEqual(['/runs/a']);
  expect(names()).toEqual(['a']);
});
