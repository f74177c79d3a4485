import { rename, rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { listCheckpoints, runCheckpoints } from '../../engine/train/checkpoint-folders.ts';
import {
  demoFolder,
  PATIENCE_MS,
  RUNS_TIMEOUT_MS,
  runPanel,
  waitForState,
  waitForStep,
} from './editor/demo-runs.ts';
import { openEditor } from './editor/editor.ts';

/** Too long to end by itself, whatever the machine. */
const RUN = {
  name: 'first',
  maxSteps: 100_000,
  saveSteps: 200,
  learningRate: 5e-3,
  accumulation: 2,
  kept: 99,
};

test('an ended run always goes on: from a checkpoint, from its start, with a model that moved', {
  timeout: RUNS_TIMEOUT_MS,
}, async () => {
  const folder = await demoFolder(RUN);
  const runFolder = path.join(folder, 'runs', 'first');
  const editor = await openEditor({ folder });
  const { page } = editor;
  await editor.openFile('first.lorafa.json');
  await editor.runCommand('LoRA-FA: Start Run');
  let panel = await runPanel(editor, 'first');
  await waitForStep(panel, 402);
  await panel.getByRole('button', { name: 'Stop' }).click();
  await waitForState(panel, 'Stopped');

  // Back to the first checkpoint: the second is left behind, and says so.
  await panel
    .locator('.checkpoints tr', { hasText: 'checkpoint-200' })
    .getByRole('button', { name: 'Resume from Here' })
    .click();
  await waitForState(panel, 'Running');
  await panel.getByRole('button', { name: 'Stop' }).click();
  await waitForState(panel, 'Stopped');
  const rows = panel.locator('.checkpoints tbody tr');
  await rows.filter({ hasText: 'checkpoint-400 (left behind)' }).waitFor();
  expect(await rows.filter({ hasText: 'left behind' }).count()).toBeGreaterThan(1);
  await editor.runCommand('Notifications: Clear All Notifications');
  await rows.last().scrollIntoViewIfNeeded();
  await editor.screenshot('run-left-behind');

  // One that is damaged is passed over, which is told; who clicks twice means it once.
  const current = (await runCheckpoints(runFolder)).filter(({ isCurrent }) => isCurrent);
  await truncate(path.join(current.at(-1)!.folder, 'optimizer.safetensors'));
  await panel.getByRole('button', { name: 'Resume from Last Checkpoint' }).dblclick();
  await waitForState(panel, 'Running');
  await panel.locator('.warnings', { hasText: 'passed over' }).waitFor();
  await panel.getByRole('button', { name: 'Stop' }).click();
  await waitForState(panel, 'Stopped');
  expect(await page.locator('.notification-list-item', { hasText: 'in use' }).count()).toBe(0);

  // Without any checkpoint there is nothing to resume, but the run can be started again; where its
  // model is, the one who moved it says.
  for (const checkpoint of await listCheckpoints(runFolder))
    await rm(checkpoint, { recursive: true });
  await rename(path.join(folder, 'base'), path.join(folder, 'moved'));
  await editor.reload();
  panel = await runPanel(editor, 'first');
  await panel.getByRole('button', { name: 'Start Again' }).click();
  const toast = page.locator('.notification-list-item', { hasText: 'is not at' });
  await toast.getByRole('button', { name: 'Choose Base Model…' }).click();
  await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Model folder' }).click();
  const place = page.locator('.quick-input-widget input[type="text"]');
  // The dialog puts its own folder into the field when it has listed it, whatever is there by then.
  const moved = `${path.join(folder, 'moved')}/`;
  await vi.waitFor(
    async () => {
      await place.fill(moved);
      await page.locator('.quick-input-list .monaco-list-row', { hasText: 'base' }).waitFor({
        state: 'detached',
        timeout: 1000,
      });
      expect(await place.inputValue()).toBe(moved);
      expect(await page.locator('.quick-input-list .monaco-list-row').count()).toBe(1);
    },
    { timeout: PATIENCE_MS },
  );
  await page.getByRole('button', { name: 'Use Model' }).click();
  await waitForState(panel, 'Running');
  await waitForStep(panel, 1);
  await panel.getByRole('button', { name: 'Discard…' }).click();
  await page.locator('.monaco-dialog-box', { hasText: 'It has no checkpoint yet' }).waitFor();
  await page.locator('.monaco-dialog-box').getByRole('button', { name: 'Discard' }).click();
  await waitForState(panel, 'Cancelled');
  await panel.getByRole('button', { name: 'Start Again' }).waitFor();
  await editor.screenshot('run-start-again');

  // A run folder that was moved is found where it is now, and there alone.
  await rename(runFolder, path.join(folder, 'kept'));
  await editor.openActivity('LoRA-FA');
  await editor.runCommand('LoRA-FA: Refresh');
  const runs = page.locator('.sidebar .pane', { hasText: 'Runs' }).locator('.monaco-list-row');
  await runs.filter({ hasText: 'kept' }).waitFor();
  expect(await runs.count()).toBe(1);
});
