import { readFile, rename, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import {
  demoFolder,
  PATIENCE_MS,
  RUNS_TIMEOUT_MS,
  runPanel,
  waitForState,
} from './editor/demo-runs.ts';
import { type Editor, openEditor } from './editor/editor.ts';

/** So long that it is always stopped by the test, with steps that leave time to look at them. */
const ENDLESS = { name: 'early', maxSteps: 60_000, learningRate: 5e-3, accumulation: 1, kept: 4 };

/** The folder of an endless run that evaluates and saves every few steps. */
async function endlessFolder(): Promise<string> {
  const folder = await demoFolder(ENDLESS);
  const file = path.join(folder, 'early.lorafa.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as { training: object };
  const training = { ...config.training, eval_steps: 5, save_steps: 5, sample_prompts: undefined };
  await writeFile(file, JSON.stringify({ ...config, training }, null, 2));
  return folder;
}

const checkpointsOf = (panel: Frame): Locator => panel.locator('.checkpoints tbody tr');

async function stopWithCheckpoints(panel: Frame): Promise<void> {
  await vi.waitFor(async () => expect(await checkpointsOf(panel).count()).toBeGreaterThan(2), {
    timeout: PATIENCE_MS,
  });
  await panel.getByRole('button', { name: 'Stop' }).click();
  await waitForState(panel, 'Stopped');
}

const toasts = ({ page }: Editor): Locator => page.locator('.notification-list-item');

test('a run that was stopped early is an adapter, and stays one whatever fails later', {
  timeout: RUNS_TIMEOUT_MS,
}, async () => {
  const folder = await endlessFolder();
  const editor = await openEditor({ folder });
  const { page } = editor;
  const choices = page.locator('.quick-input-widget .monaco-list-row');
  const row = page.locator('[id="workbench.view.extension.lorafa"] .monaco-list-row', {
    hasText: 'early',
  });
  await editor.openActivity('LoRA-FA');
  await page.locator('.welcome-view-content', { hasText: 'There is no run yet' }).first().waitFor();
  await editor.screenshot('runs-welcome');
  await editor.openFile('early.lorafa.json');
  await editor.runCommand('LoRA-FA: Start Run');
  let panel = await runPanel(editor, 'early');
  await stopWithCheckpoints(panel);
  await row.filter({ hasText: /Stopped · loss/ }).waitFor();
  // The one who pressed the button knows.
  expect(await toasts(editor).filter({ hasText: 'was stopped' }).count()).toBe(0);
  for (const name of ['Test Adapter', 'Export Adapter…', 'Make Result…']) {
    await panel.getByRole('button', { name, exact: true }).waitFor();
  }
  await editor.screenshot('run-stopped');

  // A damaged checkpoint says so, and is not offered as a result; the best one comes first.
  const oldest = (await checkpointsOf(panel).last().locator('td').first().innerText()).trim();
  await truncate(path.join(folder, 'runs/early', oldest, 'adapter_model.safetensors'), 7);
  await writeFile(path.join(folder, 'runs/early/touched.txt'), '');
  await editor.runCommand('LoRA-FA: Refresh');
  await panel.locator('.checkpoints tr', { hasText: `${oldest} (damaged)` }).waitFor();
  await panel.getByRole('button', { name: 'Make Result…' }).click();
  await choices.filter({ hasText: 'best evaluation' }).waitFor();
  expect(await choices.first().innerText()).toMatch(/checkpoint-\d+.*loss \d.*eval \d.*best/s);
  expect(await choices.filter({ hasText: oldest }).count()).toBe(0);
  await choices.first().click();
  await waitForState(panel, 'Finished early');
  await row.filter({ hasText: /Finished at step \d+ of 60000/ }).waitFor();
  await readFile(path.join(folder, 'runs/early/adapter_model.safetensors'));

  // An attempt that comes to nothing changes nothing of that, also after a reload.
  await rename(path.join(folder, 'data'), path.join(folder, 'gone'));
  await panel.getByRole('button', { name: 'Resume from Last Checkpoint' }).click();
  await panel
    .locator('.attempt', { hasText: 'An attempt to go on failed' })
    .waitFor({ timeout: PATIENCE_MS });
  await waitForState(panel, 'Finished early');
  await editor.reload();
  panel = await runPanel(editor, 'early');
  await panel.locator('.attempt', { hasText: /failed .*data file data\/train\.jsonl/ }).waitFor();
  await waitForState(panel, 'Finished early');
  await panel.getByRole('button', { name: 'Export Adapter…' }).waitFor();

  // Its checkpoints stand under the adapter, and a double click tries it.
  const pane = page.locator('.sidebar .pane', { hasText: 'Adapters' });
  await pane.locator('.pane-header').click();
  const adapters = pane.locator('.monaco-list-row');
  await adapters.filter({ hasText: 'r=32' }).locator('.monaco-tl-twistie').click();
  // Checkpoints are called by their steps there.
  await adapters.filter({ hasText: `${oldest.replace('checkpoint-', 'step ')}damaged` }).waitFor();
  await editor.screenshot('adapter-tree');
  await adapters.filter({ hasText: 'r=32' }).dblclick();
  const playground = await editor.webviewFrame('Playground');
  await expect
    .poll(() => playground.getByRole('combobox', { name: 'Adapter', exact: true }).inputValue())
    .toBe(path.join(folder, 'runs/early'));
});

test('runs that end unseen are told of, one notification at a time', {
  timeout: RUNS_TIMEOUT_MS,
}, async () => {
  const runs = ['one', 'two', 'three'].map((name) => ({
    name,
    maxSteps: 30,
    learningRate: 1e-3,
    accumulation: 1,
    kept: 1,
  }));
  const folder = await demoFolder(...runs);
  const editor = await openEditor({ folder, settings: { 'lorafa.runs.whenBusy': 'queue' } });
  for (const { name } of runs) {
    await editor.openFile(`${name}.lorafa.json`);
    await editor.runCommand('LoRA-FA: Start Run');
    await editor.webviewFrame(name);
  }
  // One tab for three runs; now none of them is seen.
  const panels = editor.page.locator('.tab', { hasText: /^(?:one|two|three)$/ });
  expect(await panels.count()).toBe(1);
  await editor.openFile('one.lorafa.json');
  await toasts(editor)
    .filter({ hasText: /The run \w+ is complete/ })
    .waitFor({ timeout: PATIENCE_MS });
  await editor.openActivity('LoRA-FA');
  const rows = editor.page.locator('[id="workbench.view.extension.lorafa"] .monaco-list-row');
  await expect
    .poll(() => rows.filter({ hasText: /loss \d\.\d+ · eval/ }).count(), { timeout: PATIENCE_MS })
    .toBe(3);
  await editor.runCommand('Notifications: Show Notifications');
  const kept = editor.page.locator('.notifications-center .notification-list-item');
  await kept.first().waitFor();
  expect(await kept.filter({ hasText: 'is complete' }).count()).toBe(1);
});
