import { expect, test, vi } from 'vitest';
import { RunsView } from '../../../extension/views/runs-view.ts';
import { runSummary } from '../../support/run-summary.ts';
import { runsWindow } from '../../support/runs-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

test('the view of runs is drawn anew only for what is to be seen of them', async () => {
  const run = runSummary({ state: 'running', step: 1, maxSteps: 1000 }, { folder: '/runs/a' });
  const { context, server } = await runsWindow([run]);
  const memory = { get: () => undefined, update: async () => undefined };
  const view = new RunsView(context.store, memory as never, () => undefined);
  let draws = 0;
  view.onDidChangeTreeData(() => {
    draws += 1;
  });
  expect(await view.getChildren()).toHaveLength(1);
  // Of the memory that it takes a row says nothing.
  const memoryNow = { resident: 1, peak: 2 };
  server.change({ ...run, status: { ...run.status, memory: memoryNow } });
  await vi.waitFor(() => expect(context.store.runs[0]?.status.memory).toEqual(memoryNow));
  view.refresh();
  expect(draws).toBe(0);
  server.change({ ...run, status: { ...run.status, step: 500 } });
  await vi.waitFor(() => expect(context.store.runs[0]?.status.step).toBe(500));
  view.refresh();
  expect(draws).toBeGreaterThan(0);
  await view.getChildren();
  const before = draws;
  view.refresh();
  expect(draws).toBe(before);
  view.dispose();
});
