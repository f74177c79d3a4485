import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame, Locator, Page } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import type { JournalEntry } from '../../engine/train/journal-entry.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import {
  chartedStep,
  demoFolder,
  PATIENCE_MS,
  RUNS_TIMEOUT_MS,
  runPanel,
  waitForState,
  waitForStep,
} from './editor/demo-runs.ts';
import { type Editor, openEditor } from './editor/editor.ts';

const STEPS = 360;
const LONG = { name: 'long', maxSteps: STEPS, learningRate: 5e-3, accumulation: 8, kept: 6 };
const SHORT = { name: 'short', maxSteps: 30, learningRate: 1e-3, accumulation: 1, kept: 3 };

test('runs wait, are discarded, stopped and resumed, and one trains while its adapter is tried', {
  timeout: RUNS_TIMEOUT_MS,
}, async () => {
  const folder = await demoFolder(LONG, SHORT);
  const editor = await openEditor({ folder });
  const { page } = editor;
  const choices = page.locator('.quick-input-widget .monaco-list-row');
  const toasts = page.locator('.notification-list-item');

  await editor.openFile('long.lorafa.json');
  await editor.runCommand('LoRA-FA: Start Run');
  let panel = await runPanel(editor, 'long');
  // Its first checkpoint is on disk then.
  await waitForStep(panel, 62);
  await panel.getByRole('button', { name: 'Pause' }).click();
  await waitForState(panel, 'Paused');

  // The second run waits for the first, which has not ended.
  await editor.openFile('short.lorafa.json');
  await editor.runCommand('LoRA-FA: Start Run');
  await choices.filter({ hasText: 'Wait in the queue' }).click();
  const second = await runPanel(editor, 'short');
  await waitForState(second, 'Queued');
  await second.getByText('This run waits until the other runs have ended.').waitFor();
  await editor.screenshot('run-queued');

  // What would be lost is asked about; who thinks better of it loses nothing.
  panel = await showPanel(editor, 'long');
  await panel.getByRole('button', { name: 'Discard…' }).click();
  await answerDialog(page, 'End the run long without saving?', 'Cancel');
  await panel.getByRole('button', { name: 'Discard…' }).click();
  await panel.locator('.state', { hasText: 'Paused' }).waitFor();
  await answerDialog(page, 'End the run long without saving?', 'Discard');
  await waitForState(panel, 'Cancelled');

  // Now it is the second one's turn.
  await toasts.filter({ hasText: 'The run short is complete' }).waitFor({ timeout: PATIENCE_MS });

  await editor.runCommand('LoRA-FA: Resume from Checkpoint…');
  await choices.filter({ hasText: 'checkpoint-60' }).click();
  await waitForState(panel, 'Running');
  expect(await resumedSteps(folder)).toEqual([0, 60]);
  await panel.getByRole('button', { name: 'Stop' }).click();
  await waitForState(panel, 'Stopped');

  const row = panel.locator('.checkpoints tr', { hasText: 'checkpoint-60' });
  await row.getByRole('button', { name: 'Resume from Here' }).click();
  await waitForState(panel, 'Running');
  expect(await resumedSteps(folder)).toEqual([0, 60, 60]);
  await row.getByRole('button', { name: 'Test' }).click();
  await writeWhileTraining(editor, 'long/checkpoint-60');

  panel = await showPanel(editor, 'long');
  await waitForState(panel, 'Completed');
  await expect.poll(() => chartedStep(panel)).toBe(STEPS);
  await zoomByMouse(panel, page);
  await switchScale(panel);
});

/** Puts the panel of a run in front, and returns its page. */
async function showPanel(editor: Editor, name: string): Promise<Frame> {
  const title = editor.page.locator('.quick-input-widget', { hasText: 'Show which run?' });
  const row = title.locator('.monaco-list-row', { hasText: name });
  // A page that was in front may take the focus back late, which closes the list.
  await vi.waitFor(
    async () => {
      await editor.runCommand('LoRA-FA: Open Run Panel');
      await row.click({ timeout: PATIENCE_MS / 10 });
    },
    { timeout: PATIENCE_MS },
  );
  // The panel of the other run is loaded anew for this one.
  return vi.waitFor(
    async () => {
      const panel = await runPanel(editor, name);
      await panel.locator('.chart-plot').first().waitFor({ timeout: 2000 });
      expect(await editor.webviewFrame(name)).toBe(panel);
      return panel;
    },
    { timeout: PATIENCE_MS },
  );
}

/** The steps at which the sessions of the long run began, by the journal in its folder. */
async function resumedSteps(folder: string): Promise<readonly number[]> {
  const journal = await readFile(path.join(folder, 'runs', 'long', RUN_FILES.journal), 'utf8');
  // Behind the last line break stands what is not written whole yet.
  const lines = journal.split('\n').slice(0, -1);
  const entries = lines.map((line) => JSON.parse(line) as JournalEntry);
  return entries.flatMap((entry) => (entry.type === 'started' ? [entry.run.resumedAt] : []));
}

/** Answers a question that must be answered before anything else. */
async function answerDialog(page: Page, question: string, answer: string): Promise<void> {
  const dialog = page.locator('.monaco-dialog-box', { hasText: question });
  await dialog.getByRole('button', { name: answer, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

/** Lets base and adapter write in the playground, whose page is open, while a run goes on. */
async function writeWhileTraining(editor: Editor, adapterName: string): Promise<void> {
  const frame = await editor.webviewFrame('Playground');
  const picked = (): Promise<string> =>
    frame.getByRole('combobox', { name: 'Adapter', exact: true }).inputValue();
  await expect.poll(picked).toContain(adapterName);
  await frame
    .getByLabel('Prompt', { exact: true })
    .fill('Milo is 70 years old and lives in Toulouse.\nJSON: ');
  // Faster than one could look: the page itself counts the pieces that come.
  await frame.evaluate(`
    window.pieces = 0;
    window.addEventListener('message', ({ data }) => {
      if (data.type === 'piece') window.pieces += 1;
    });
  `);
  const before = await percentDone(editor);
  await frame.getByRole('button', { name: 'Generate' }).click();
  for (const name of ['Base model', 'With the adapter']) {
    await frame
      .getByRole('region', { name })
      .getByText(/tokens\/s/)
      .waitFor({ timeout: PATIENCE_MS });
  }
  expect(await frame.evaluate<number>('window.pieces')).toBeGreaterThan(10);
  await expect.poll(() => percentDone(editor)).toBeGreaterThan(before);
}

/** How much of the run that trains now is done, by the status bar. */
async function percentDone(editor: Editor): Promise<number> {
  const item = await editor.waitForStatusBar(/LoRA-FA \d+% · loss/);
  return Number(/(\d+)%/.exec((await item.textContent()) ?? '')?.[1]);
}

/** Looks at a part of the curves by mouse, and at all of them again. */
async function zoomByMouse(panel: Frame, page: Page): Promise<void> {
  const plot = panel.locator('.chart-plot').first();
  const readout = panel.locator('.chart-readout').first();
  const area = (await plot.locator('.u-over').boundingBox())!;
  const y = area.y + area.height / 2;
  await page.mouse.move(area.x + area.width / 4, y);
  await page.mouse.down();
  await page.mouse.move(area.x + area.width / 2, y, { steps: 5 });
  await page.mouse.up();
  await plot.press('Home');
  await expect.poll(() => stepIn(readout)).toBeCloseTo(STEPS / 4, -1);
  await plot.press('End');
  await expect.poll(() => stepIn(readout)).toBeCloseTo(STEPS / 2, -1);
  await plot.locator('.u-over').dblclick();
  await plot.press('End');
  await expect.poll(() => stepIn(readout)).toBe(STEPS);
}

/** Switches the losses to a logarithmic scale by keyboard, and back. */
async function switchScale(panel: Frame): Promise<void> {
  const picture = (): Promise<string> =>
    panel
      .locator('.chart-plot canvas')
      .first()
      .evaluate((canvas: { toDataURL(): string }) => canvas.toDataURL());
  const box = panel.getByLabel('Log scale');
  const linear = await picture();
  await box.press('Space');
  await expect.poll(picture).not.toBe(linear);
  await box.press('Space');
  await expect.poll(picture).toBe(linear);
}

/** The step whose values a chart shows. */
async function stepIn(readout: Locator): Promise<number> {
  return Number(/^Step (\d+)/.exec((await readout.textContent()) ?? '')?.[1]);
}
