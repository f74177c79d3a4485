import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { expect, test } from 'vitest';
import { RUN_FILES } from '../../engine/train/run-folder.ts';
import { parseLogLine } from '../../server/runs/run-log.ts';
import { faultCount } from '../faults/counts.ts';
import { readOutcome } from '../faults/run-outcome.ts';
import { readJournal, readSteps } from '../faults/run-steps.ts';
import {
  chartedStep,
  type DemoRun,
  demoFolder,
  waitForState,
  waitForStep,
} from './editor/demo-runs.ts';
import { type Editor, openEditor } from './editor/editor.ts';
import { recordToldSteps, toldSteps } from './editor/panel-record.ts';
import { runProgram } from './setup/run-program.ts';

/** The window is reloaded `LORAFA_FAULTS_RELOADS` times. */
const RELOADS = faultCount('RELOADS', 3);
/** How long a reload takes, with all that is looked at after it. */
const RELOAD_SECONDS = 12;
/** For finding out how long a step takes here. */
const TRIAL = { maxSteps: 30, learningRate: 5e-3, accumulation: 8, kept: 1 };

test(`${RELOADS} reloads of the window during a run lose no event`, {
  timeout: 120_000 + RELOADS * 60_000,
}, async () => {
  const trial = await trainInTerminal({ ...TRIAL, name: 'trial' });
  const { train_runtime: seconds } = (await readJournal(trial)).findLast(
    (entry) => entry.type === 'completed',
  )!;
  // As often as evaluations and checkpoints ask for.
  const times = Math.ceil((RELOADS * RELOAD_SECONDS) / seconds);
  const run: DemoRun = { ...TRIAL, name: 'first', maxSteps: times * TRIAL.maxSteps };
  const undisturbed = trainInTerminal(run);
  // Where the test fails before it is over, nobody waits for it.
  undisturbed.catch(() => undefined);

  const folder = await demoFolder(run);
  const runFolder = path.join(folder, 'runs', run.name);
  const editor = await openEditor({ folder });
  await recordToldSteps(editor.page);
  await editor.openFile('first.lorafa.json');
  await editor.runCommand('LoRA-FA: Start Run');
  let panel = await editor.webviewFrame('first');
  await waitForStep(panel, 1);
  const trainers = await editor.processesOf('trainer.js');

  for (let reload = 1; reload <= RELOADS; reload++) {
    await editor.reload();
    panel = await editor.webviewFrame('first');
    await editor.waitForStatusBar(/LoRA-FA \d+% · loss/);
    await expectWholeHistory(panel, runFolder);
    expect(await editor.processesOf('trainer.js')).toEqual(trainers);
    await expect.poll(() => editor.processesOf('language-server.js')).toHaveLength(1);
    await expectNoErrors(editor);
  }
  // If it were over, what was tried would not be what was to be tried.
  await waitForState(panel, 'Running');

  await panel.locator('.state', { hasText: 'Completed' }).waitFor({ timeout: RELOADS * 60_000 });
  await expectWholeHistory(panel, runFolder);
  expect(await chartedStep(panel)).toBe(run.maxSteps);
  await expectNoErrors(editor);
  expect(await weightsOf(runFolder)).toEqual(await weightsOf(await undisturbed));
});

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

/** Trains beside the window without being in its way, and returns the run's folder. */
async function trainInTerminal(run: DemoRun): Promise<string> {
  const folder = await demoFolder(run);
  const cli = path.resolve('out', 'cli.js');
  await runProgram('nice', [
    process.execPath,
    ...[cli, 'train', path.join(folder, `${run.name}.lorafa.json`), '--json'],
  ]);
  return path.join(folder, 'runs', run.name);
}
