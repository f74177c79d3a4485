import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { expect, test } from 'vitest';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { parseLogLine } from '../../server/trainer/run-log.ts';
import { faultCount } from '../faults/counts.ts';
import { readOutcome } from '../faults/run-outcome.ts';
import { readSteps } from '../faults/run-steps.ts';
import {
  chartedStep,
  demoFolder,
  PATIENCE_MS,
  waitForState,
  waitForStep,
} from './editor/demo-runs.ts';
import { type Editor, openEditor } from './editor/editor.ts';
import { recordToldSteps, toldSteps } from './editor/panel-record.ts';
import { runProgram } from './setup/run-program.ts';

/** The window is reloaded `LORAFA_FAULTS_RELOADS` times. */
const RELOADS = faultCount('RELOADS', 3);
/** Each run lasts for some reloads: one after the other is started until there were enough. */
const RUN = { maxSteps: 120, learningRate: 5e-3, accumulation: 8, kept: 2 };

test(`${RELOADS} reloads of the window during runs lose no event`, {
  timeout: 120_000 + RELOADS * 60_000,
}, async () => {
  const expected = await weightsOf(await trainInTerminal());
  const names = Array.from({ length: 2 * RELOADS }, (_, index) => `run-${index + 1}`);
  const folder = await demoFolder(...names.map((name) => ({ ...RUN, name })));
  const editor = await openEditor({ folder });
  await recordToldSteps(editor.page);
  let reloads = 0;
  for (const name of names) {
    if (reloads === RELOADS) break;
    const runFolder = path.join(folder, 'runs', name);
    await editor.openFile(`${name}.lorafa.json`);
    await editor.runCommand('LoRA-FA: Start Run');
    const panel = (): Promise<Frame> => editor.webviewFrame(name);
    await waitForStep(await panel(), 1);
    const trainers = await editor.processesOf('trainer.js');
    while (reloads < RELOADS) {
      await editor.reload();
      if (!(await isShownAsRunning(editor, await panel()))) break;
      expect(await editor.processesOf('trainer.js')).toEqual(trainers);
      await expect.poll(() => editor.processesOf('language-server.js')).toHaveLength(1);
      await expectWholeHistory(await panel(), runFolder);
      await expectNoErrors(editor);
      reloads += 1;
    }
    await waitForState(await panel(), 'Completed');
    await expectWholeHistory(await panel(), runFolder);
    expect(await chartedStep(await panel())).toBe(RUN.maxSteps);
    await expectNoErrors(editor);
    expect(await weightsOf(runFolder)).toEqual(expected);
    await editor.runCommand('View: Close All Editors');
  }
  expect(reloads).toBe(RELOADS);
});

/** Waits until panel and status bar have found the run again; false when it is over by then. */
async function isShownAsRunning(editor: Editor, panel: Frame): Promise<boolean> {
  const state = panel.locator('.state');
  const statusBar = editor.page.locator('.part.statusbar .statusbar-item', {
    hasText: /LoRA-FA \d+% · loss/,
  });
  const isOver = async (): Promise<boolean> => (await state.textContent()) === 'Completed';
  await expect
    .poll(async () => (await isOver()) || (await statusBar.count()) === 1, { timeout: PATIENCE_MS })
    .toBe(true);
  return !(await isOver());
}

/** Does the same run without a window, and returns its folder. */
async function trainInTerminal(): Promise<string> {
  const folder = await demoFolder({ ...RUN, name: 'undisturbed' });
  const configFile = path.join(folder, 'undisturbed.lorafa.json');
  await runProgram(process.execPath, [path.resolve('out', 'cli.js'), 'train', configFile]);
  return path.join(folder, 'runs', 'undisturbed');
}

/** Hashes of all weights and moments that a run has left. */
async function weightsOf(folder: string): Promise<readonly (readonly [string, string])[]> {
  const { results } = await readOutcome(folder);
  return [...results].filter(([name]) => name.endsWith('.safetensors'));
}

/** Every step of the journal, and every line of the log, has come to the page, and each once. */
async function expectWholeHistory(panel: Frame, runFolder: string): Promise<void> {
  const steps = await readSteps(runFolder);
  const log = await logTexts(runFolder);
  await waitForStep(panel, steps.length - 1);
  const told = await toldSteps(panel);
  expect(told.length).toBeGreaterThanOrEqual(steps.length);
  expect(told).toEqual(told.map((_, index) => index + 1));
  expect(told.length).toBeLessThanOrEqual((await readSteps(runFolder)).length);

  await panel.getByRole('tab', { name: 'Log' }).click();
  const lines = panel.locator('.log-line');
  await expect.poll(() => lines.count()).toBeGreaterThanOrEqual(log.length);
  const shown = await lines.locator('span:last-child').allTextContents();
  expect(shown).toEqual((await logTexts(runFolder)).slice(0, shown.length));
}

/** What the log of a run says, without times. */
async function logTexts(runFolder: string): Promise<readonly string[]> {
  const text = await readFile(path.join(runFolder, RUN_FILES.log), 'utf8');
  const whole = text.split('\n').slice(0, -1);
  return whole.map((text, index) => parseLogLine({ number: index + 1, text }).text);
}

/** Nothing went wrong that the window would have told. */
async function expectNoErrors({ page }: Editor): Promise<void> {
  const errors = page.locator('.notification-list-item', { has: page.locator('.codicon-error') });
  expect(await errors.allTextContents()).toEqual([]);
}
