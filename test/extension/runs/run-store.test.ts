import { expect, test, vi } from 'vitest';
import { checkpoint, runSummary } from '../../support/run-summary.ts';
import { runsWindow } from '../../support/runs-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const saved = (...steps: readonly number[]) => ({
  checkpoints: steps.map((step) => checkpoint({ step })),
});

test('checkpoints are news when one is written or goes while a run goes on, steps are none', async () => {
  const { server, store } = await runsWindow([runSummary({ step: 1 })]);
  let told = 0;
  store.onDidChangeCheckpoints(() => {
    told += 1;
  });
  const change = async (step: number, ...steps: readonly number[]) => {
    server.change(runSummary({ step }, saved(...steps)));
    await vi.waitFor(() => expect(store.runs[0]?.status.step).toBe(step));
    return told;
  };
  expect(await change(2)).toBe(0);
  expect(await change(10, 10)).toBe(1);
  expect(await change(15, 10)).toBe(1);
  // As many as before: the oldest had to go.
  expect(await change(20, 20)).toBe(2);
  store.remove(store.runs[0]!.folder);
  expect(told).toBe(3);
});

test('a run that goes on again is news, its steps are none', async () => {
  const { server, store } = await runsWindow([runSummary({ state: 'completed', step: 1 })]);
  let told = 0;
  store.onDidChangeLive(() => {
    told += 1;
  });
  const change = async (state: 'running' | 'completed', step: number) => {
    server.change(runSummary({ state, step }));
    await vi.waitFor(() => expect(store.runs[0]?.status.step).toBe(step));
    return told;
  };
  expect(await change('running', 2)).toBe(1);
  expect(await change('running', 3)).toBe(1);
  expect(await change('completed', 4)).toBe(2);
});
