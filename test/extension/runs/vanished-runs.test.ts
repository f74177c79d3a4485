import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as vscode from 'vscode';
import type { ComparisonNews } from '../../../extension/runs/comparison-messages.ts';
import { ComparisonPanels } from '../../../extension/runs/comparison-panel.ts';
import { notifyOfVanished } from '../../../extension/runs/run-notifications.ts';
import type { RunPanelNews } from '../../../extension/runs/run-panel-messages.ts';
import { RunPanels } from '../../../extension/runs/run-panels.ts';
import { RunTargets } from '../../../extension/runs/run-targets.ts';
import { controlRun } from '../../../server/protocol/runs.ts';
import { crashed } from '../../../server/runs/session.ts';
import { checkpoint, runSummary } from '../../support/run-summary.ts';
import { runsWindow } from '../../support/runs-window.ts';
import { shown, user } from '../../support/vscode-window.ts';
import { OpenedPanel } from '../../support/webview-panel.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const RUNS = ['a', 'b', 'c'].map((name) =>
  runSummary({ state: 'completed' }, { folder: `/runs/${name}` }),
);

/** A window that knows three runs, whose folders are on disk. */
async function world() {
  const known = await runsWindow(RUNS);
  vi.spyOn(vscode.workspace.fs, 'delete').mockImplementation(known.server.trash);
  const targets = new RunTargets(known.store, known.actions, {} as never, {} as never);
  return { ...known, targets, names: () => known.store.runs.map(({ name }) => name) };
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

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('a command on a run that vanished says so once, and the run leaves the list', async () => {
  const { server, targets, names } = await world();
  server.disk.delete('/runs/b');
  expect(await targets.one('/runs/b', { title: 'Which?' })).toBeUndefined();
  expect(told()).toEqual([['warning', 'The run in /runs/b is not there any more.']]);
  expect(names()).toEqual(['a', 'c']);
});

test('a run that goes on and whose folder goes is told, unless somebody looked for it', async () => {
  const live = ['d', 'e'].map((name) => runSummary({}, { folder: `/runs/${name}` }));
  const { server, store, actions } = await runsWindow([...RUNS, ...live]);
  const subscription = notifyOfVanished(store);
  server.remove('/runs/a');
  server.remove('/runs/d');
  server.remove('/runs/e');
  await actions.present(['/runs/e']);
  await vi.waitFor(() => expect(store.find('/runs/d')).toBeUndefined());
  expect(told()).toEqual([
    [
      'warning',
      '/runs/d was deleted, moved or renamed while its run was going on, which ends the run; put the folder back to resume it, or start it again.',
    ],
    ['warning', 'The run in /runs/e is not there any more.'],
  ]);
  subscription.dispose();
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
  const { server, targets, names } = await world();
  server.disk.delete('/runs/a');
  server.disk.delete('/runs/b');
  const runs = await targets.several(undefined, RUNS, { title: 'Which?' });
  expect(runs?.map(({ name }) => name)).toEqual(['c']);
  expect(told()).toEqual([['warning', '2 runs are not there any more: a, b.']]);
  expect(names()).toEqual(['c']);
  server.disk.clear();
  expect(await targets.several(undefined, RUNS, { title: 'Which?' })).toBeUndefined();
});

test('runs are deleted although one of them vanished, before the question or behind it', async () => {
  const { server, store, keeper, names } = await world();
  user.answer = 'Delete';
  server.disk.delete('/runs/b');
  await keeper.delete(store.runs);
  expect(told().map(([, text]) => text)).toEqual(['Delete 2 runs?']);
  expect([...server.disk.keys()]).toEqual([]);
  expect(names()).toEqual([]);

  const later = await world();
  user.answer = new Promise((answer) => {
    later.server.disk.delete('/runs/c');
    answer('Delete');
  });
  await later.keeper.delete(later.store.runs);
  expect([...later.server.disk.keys()]).toEqual([]);
  expect(later.names()).toEqual([]);
});

test('a run that cannot be deleted is told, and stays alone', async () => {
  const { server, store, keeper, names } = await world();
  user.answer = 'Delete';
  server.held.add('/runs/a');
  await keeper.delete(store.runs);
  expect(told()).toEqual([
    ['error', '/runs/a goes on.'],
    ['warning', 'Delete 2 runs?'],
  ]);
  expect([...server.disk.keys()]).toEqual(['/runs/a']);
  expect(names()).toEqual(['a']);
});

test('a run that is deleted while it is compared takes its column with it, and is named', async () => {
  const { server, context, actions } = await world();
  const panel = new OpenedPanel<ComparisonNews>();
  const folders = ['/runs/a', '/runs/b'];
  await new ComparisonPanels(context, actions).deserializeWebviewPanel(panel as never, { folders });
  panel.ask({ type: 'ready' });
  const namesIn = () => panel.last('runs')?.runs.map(({ name }) => name);
  const columns = () => panel.last('config')?.rows.map(({ values }) => values);
  await vi.waitFor(() => expect(columns()).toEqual([['"a"', '"b"']]));
  expect(panel.last('runs')?.gone).toEqual([]);

  server.remove('/runs/a');
  await vi.waitFor(() => expect(columns()).toEqual([['"b"']]));
  expect(namesIn()).toEqual(['b']);
  expect(panel.last('runs')?.gone).toEqual(['a']);
  server.remove('/runs/b');
  await vi.waitFor(() => expect(namesIn()).toEqual([]));
  expect(panel.last('runs')?.gone).toEqual(['a', 'b']);
});

/** The panel of a run that goes on. */
async function panelOfLiveRun() {
  const live = runSummary({ state: 'running', step: 3, maxSteps: 9 }, { folder: '/runs/live' });
  const known = await runsWindow([live]);
  const panel = new OpenedPanel<RunPanelNews>();
  const panels = new RunPanels(known.context, known.actions);
  await panels.deserializeWebviewPanel(panel as never, { folder: live.folder });
  panel.ask({ type: 'ready' });
  await vi.waitFor(() => expect(panel.last('run')?.stateLabel).toBe('Running'));
  return { ...known, panel, panels, live };
}

test.each([
  ['in front', true],
  ['behind another one', false],
])(
  'the tab of a run that is renamed takes the new name and stays, %s',
  async (_where, isInFront) => {
    const { store, panel, panels, live } = await panelOfLiveRun();
    panel.show(isInFront);
    vi.useFakeTimers();
    const renamed = { ...live, folder: '/runs/renamed', name: 'renamed' };
    panels.follow(live.folder, renamed);
    store.add(renamed);
    store.remove(live.folder);
    await vi.advanceTimersByTimeAsync(5_000);
    vi.useRealTimers();
    expect(panel).toMatchObject({ title: 'renamed', isDisposed: false });
    // The page asks anew once it is there.
    panel.show(true);
    panel.ask({ type: 'ready' });
    await vi.waitFor(() => expect(panel.last('run')?.run.folder).toBe(renamed.folder));
    panel.dispose();
  },
);

test('the panel of a run whose process was killed says that it failed, and how it goes on', async () => {
  const { server, panel, live } = await panelOfLiveRun();
  const change = { isLive: false, isSteerable: false, checkpoints: [checkpoint()] };
  server.change({ ...live, ...change, status: crashed(live.status) });
  await vi.waitFor(() => expect(panel.last('run')?.stateLabel).toBe('Failed'));
  expect(panel.last('run')).toMatchObject({
    reason: expect.stringContaining('ended without a word') as string,
    timeLeft: null,
    abilities: { canPause: false, canStop: false, canResumeFromCheckpoint: true },
  });
});

test('a button of the panel does nothing to a run that vanished, and says why', async () => {
  const { server, panel, live } = await panelOfLiveRun();
  server.disk.delete(live.folder);
  panel.ask({ type: 'control', action: 'stop' });
  await vi.waitFor(() =>
    expect(told()).toEqual([['warning', 'The run in /runs/live is not there any more.']]),
  );
  expect(server.asked).not.toContain(controlRun.method);
  panel.dispose();
});
