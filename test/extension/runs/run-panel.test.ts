import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseGpus } from '../../../engine/runtime/nvidia-smi.ts';
import type { RunPanelNews } from '../../../extension/runs/run-panel-messages.ts';
import { RunPanels } from '../../../extension/runs/run-panels.ts';
import { listAdapters, listModels, lookForChatTemplate } from '../../../server/protocol/models.ts';
import {
  getRunReports,
  lookAtRun,
  type RunSummary,
  renameRun,
} from '../../../server/protocol/runs.ts';
import { foundAdapter } from '../../support/found-adapter.ts';
import { runSummary } from '../../support/run-summary.ts';
import { runsWindow } from '../../support/runs-window.ts';
import { shown, user } from '../../support/vscode-window.ts';
import { OpenedPanel } from '../../support/webview-panel.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

beforeEach(() => {
  shown.length = 0;
});

// Other tests of the worker ask the same user.
afterEach(() => {
  user.reply = undefined;
});

const FOLDER = '/runs/done';

/** The panel of a run, shown by a server that gives further answers. */
async function panelOf(run: RunSummary, answers: Readonly<Record<string, unknown>>) {
  const known = await runsWindow([run]);
  Object.assign(known.server.answers, answers);
  const panel = new OpenedPanel<RunPanelNews>();
  const panels = new RunPanels(known.context, known.actions);
  await panels.deserializeWebviewPanel(panel as never, { folder: run.folder });
  panel.ask({ type: 'ready' });
  await vi.waitFor(() => expect(panel.last('config')).toBeDefined());
  return { ...known, panel };
}

test('the panel of a finished run knows whether one can chat with its adapter, and asks once', async () => {
  const done = runSummary({ state: 'completed' }, { folder: FOLDER, adapter: FOLDER });
  const { panel, server } = await panelOf(done, {
    [listModels.method]: () => [],
    [listAdapters.method]: () => [foundAdapter(FOLDER, { baseModel: '/models/texts' })],
    [lookForChatTemplate.method]: () => false,
  });
  const chat = { type: 'chat', adapter: FOLDER, isPossible: false };
  await vi.waitFor(() => expect(panel.last('chat')).toEqual(chat));
  server.change({ ...done, seconds: 2 });
  await vi.waitFor(() => expect(panel.last('run')?.run.seconds).toBe(2));
  expect(server.asked.filter((method) => method === lookForChatTemplate.method)).toHaveLength(1);
});

test('the panel of a run on a GPU is told what that did, all of it whenever its page is made, and no more at its end', async () => {
  const live = runSummary({ state: 'running', device: 'cuda:1' }, { folder: '/runs/live' });
  const { panel, server } = await panelOf(live, {});
  expect(panel.last('gpu')).toBeUndefined();
  const gpus = (percent: number) =>
    parseGpus(
      `0, NVIDIA A, 580.1, 9, 9, 9, 1, 1, 1\n1, NVIDIA B, 580.1, 9, 3, 6, ${percent}, 50, 99`,
    );
  const loads = () => panel.last('gpu')?.readings.map(({ utilization }) => utilization);
  server.readGpus(gpus(50));
  server.readGpus(gpus(75));
  expect(loads()).toEqual([0.5, 0.75]);
  const told = panel.told.filter(({ type }) => type === 'gpu').length;
  // The tab was behind another one, and the page is new.
  panel.show(false);
  server.readGpus(gpus(25));
  panel.show(true);
  panel.ask({ type: 'ready' });
  await vi.waitFor(() => expect(loads()).toEqual([0.5, 0.75, 0.25]));
  expect(panel.told.filter(({ type }) => type === 'gpu')).toHaveLength(told + 1);
  server.change({ ...live, isLive: false });
  await vi.waitFor(() => expect(loads()).toEqual([]));
});

test('the panel knows where its run is reported', async () => {
  const reports = { folder: '/logs', commands: ['tensorboard --logdir /logs'] };
  const live = runSummary({ state: 'running' }, { folder: '/runs/live' });
  const { panel } = await panelOf(live, { [getRunReports.method]: () => reports });
  expect(panel.last('config')?.reports).toEqual(reports);
});

test('a tab that is closed while its run is looked for shows none', async () => {
  const run = runSummary({ state: 'completed' }, { folder: '/runs/after' });
  const { server, context, actions } = await runsWindow([run]);
  await context.renamed.add({ from: '/runs/before', to: run.folder });
  const panels = new RunPanels(context, actions);
  const panel = new OpenedPanel<RunPanelNews>();
  server.answers[lookAtRun.method] = () => {
    panel.dispose();
    return null;
  };
  await panels.deserializeWebviewPanel(panel as never, { folder: '/runs/before' });
  expect(panel.isDisposed).toBe(true);
  expect(panels.isVisible(run.folder)).toBe(false);
});

test('a tab that nobody has looked at since its run was renamed finds it, unless another run has its name', async () => {
  const before = runSummary({ state: 'completed' }, { folder: '/runs/before' });
  const after = runSummary({ state: 'completed' }, { folder: '/runs/after' });
  const { server, store, keeper, context, actions } = await runsWindow([before]);
  server.answers[renameRun.method] = () => after;
  server.disk.set(after.folder, after);
  server.disk.delete(before.folder);
  user.reply = (to) => (to === 'inputBox' ? 'after' : undefined);
  await keeper.rename(before, () => undefined);
  /** The run that a tab shows which was left with the old name. */
  const shownBy = async (panels: RunPanels) => {
    const panel = new OpenedPanel<RunPanelNews>();
    await panels.deserializeWebviewPanel(panel as never, { folder: before.folder });
    panel.ask({ type: 'ready' });
    await vi.waitFor(() => expect(panel.last('run')).toBeDefined());
    panel.dispose();
    return panel.last('run')?.run.folder;
  };
  // Each is what a window has after a reload.
  expect(await shownBy(new RunPanels(context, actions))).toBe(after.folder);
  server.disk.set(before.folder, before);
  await store.refresh();
  expect(await shownBy(new RunPanels(context, actions))).toBe(before.folder);
});
