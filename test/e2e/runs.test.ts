import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  chartedStep,
  demoFolder,
  RUNS_TIMEOUT_MS,
  runPanel,
  waitForState,
  waitForStep,
} from './editor/demo-runs.ts';
import { openEditor } from './editor/editor.ts';

const STEPS = 240;
const FIRST = { name: 'first', maxSteps: STEPS, learningRate: 5e-3, accumulation: 14, kept: 3 };
const CAREFUL = { name: 'careful', maxSteps: 60, learningRate: 1e-3, accumulation: 1, kept: 3 };

test('a run is seen from its start to its end, whatever happens to the window', {
  timeout: RUNS_TIMEOUT_MS,
}, async () => {
  const folder = await demoFolder(FIRST, CAREFUL);
  const editor = await openEditor({ folder });
  const { page } = editor;

  await editor.openFile('first.lorafa.json');
  await editor.runCommand('LoRA-FA: Start Run');
  await editor.waitForStatusBar(/LoRA-FA \d+% · loss \d\.\d{3} · \d+ (s|min)/);
  let panel = await runPanel(editor, 'first');
  await waitForStep(panel, 20);

  await panel.getByRole('button', { name: 'Pause' }).click();
  await waitForState(panel, 'Paused');
  await editor.waitForStatusBar(/LoRA-FA Paused · \d+%/);
  const position = await panel.locator('.position').textContent();
  const pausedAt = Number(/Step (\d+) of/.exec(position ?? '')?.[1]);

  // The panel comes back with its whole curve, and the run is still where it was.
  await editor.reload();
  panel = await runPanel(editor, 'first');
  await waitForState(panel, 'Paused');
  await waitForStep(panel, pausedAt - 1);
  expect(await chartedStep(panel)).toBe(pausedAt);
  await editor.waitForStatusBar(/LoRA-FA Paused/);

  // A second run may wait or go on beside the first, as one chooses.
  await editor.openFile('careful.lorafa.json');
  await editor.runCommand('LoRA-FA: Start Run');
  const choices = page.locator('.quick-input-widget .monaco-list-row');
  await choices.filter({ hasText: 'Wait in the queue' }).waitFor();
  await choices.filter({ hasText: 'Start beside it' }).click();
  // Whoever sees it in its panel is not told of it.
  await waitForState(await runPanel(editor, 'careful'), 'Completed');
  await editor.openActivity('LoRA-FA');
  const rows = page.locator('[id="workbench.view.extension.lorafa"] .monaco-list-row');
  await rows.filter({ hasText: /careful.*loss \d/ }).waitFor();

  await editor.runCommand('LoRA-FA: Resume');
  await editor.waitForStatusBar(/LoRA-FA \d+% · loss/);
  await rows.filter({ hasText: 'first' }).click();
  panel = await runPanel(editor, 'first');
  await waitForStep(panel, pausedAt + 5);

  // The server is only a go-between: when it dies, the next one goes on with what it was doing.
  const [server] = await editor.processesOf('language-server.js');
  process.kill(server!, 'SIGKILL');
  const killedAt = await chartedStep(panel);
  await waitForStep(panel, killedAt + 10);
  await editor.screenshot('run-panel');

  await waitForState(panel, 'Completed');
  await rows.filter({ hasText: /first.*loss \d\.\d+ · eval/ }).waitFor();
  expect(await page.locator('.notification-list-item', { hasText: 'is complete' }).count()).toBe(0);
  const tabs = ['Configuration', 'Samples', 'Log', 'Figures', 'Checkpoints'].map(
    (name) => () => panel.getByRole('tab', { name }).click(),
  );
  await editor.examine('run-completed', panel, tabs);
  await editor.runCommand('Notifications: Clear All Notifications');

  // By keyboard: the values at the first step, the part around it, and all of it again.
  const plot = panel.locator('.chart-plot').first();
  await plot.press('Home');
  await plot.press('ArrowRight');
  await panel
    .locator('.chart-readout', { hasText: /^Step 2(?!\d)/ })
    .first()
    .waitFor();
  await plot.press('+');
  await plot.press('End');
  await panel
    .locator('.chart-readout', { hasText: `Step ${STEPS / 2 + 1}` })
    .first()
    .waitFor();
  await plot.press('0');
  await plot.press('End');
  await panel
    .locator('.chart-readout', { hasText: `Step ${STEPS}` })
    .first()
    .waitFor();
  await panel.getByRole('button', { name: 'Export' }).last().scrollIntoViewIfNeeded();
  await editor.screenshot('run-checkpoints');
  await panel.getByRole('tab', { name: 'Configuration' }).click();
  await panel.getByLabel('Compare with').selectOption('careful');
  await panel
    .getByRole('row', { name: /training\.learning_rate 0\.005 0\.001/ })
    .scrollIntoViewIfNeeded();
  await editor.screenshot('run-configuration');
  await panel.getByRole('tab', { name: 'Samples' }).click();
  await panel.locator('.samples dd', { hasText: '"name": "Milo"' }).first().waitFor();
  await editor.screenshot('run-samples');
  await panel.getByRole('tab', { name: 'Log' }).click();
  await panel.locator('.log-line', { hasText: 'state completed' }).waitFor();
  await panel.getByPlaceholder('Filter log lines').fill('checkpoint');
  await panel.locator('.log-line', { hasText: 'state completed' }).waitFor({ state: 'detached' });
  await panel.locator('.log').scrollIntoViewIfNeeded();
  await editor.screenshot('run-log');
  await panel.getByRole('tab', { name: 'Figures' }).click();
  await panel.getByRole('row', { name: new RegExp(`^${STEPS} `) }).scrollIntoViewIfNeeded();
  await editor.screenshot('run-figures');

  // What the run has left, and what the machine has, beside the runs.
  for (const view of ['Adapters', 'Base Models', 'Devices']) {
    await page.locator('.sidebar .pane-header', { hasText: view }).click();
  }
  const inView = (text: RegExp): Promise<void> => rows.filter({ hasText: text }).first().waitFor();
  await inView(/first.*r=32/);
  await inView(/base.*[KM]iB · workspace/);
  await inView(/cpu.*usable/);

  await editor.runCommand('LoRA-FA: Compare Runs');
  await choices.filter({ hasText: 'first' }).click();
  await choices.filter({ hasText: 'careful' }).click();
  await page.keyboard.press('Enter');
  const comparison = await editor.webviewFrame('Compare Runs');
  await waitForStep(comparison, STEPS - 1);
  await comparison
    .getByRole('row', { name: /training\.max_steps 240 60/ })
    .scrollIntoViewIfNeeded();
  // Both runs are seen whole beside the charts.
  const compared = comparison.locator('.scrolled');
  const overhang = (): Promise<number> =>
    compared.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
  await expect.poll(overhang).toBeLessThanOrEqual(0);
  await editor.examine('compare-runs', comparison);

  // A run that is complete cannot be resumed, says so, and what it has learned is gone on with in another one.
  await rows
    .filter({ hasText: /first.*loss/ })
    .first()
    .click();
  panel = await runPanel(editor, 'first');
  await panel.getByRole('tab', { name: 'Checkpoints' }).click();
  await panel.getByText('This run did all of its steps: there is nothing to resume.').waitFor();
  const newest = panel.locator('.checkpoints tbody tr').first();
  await newest.getByRole('button', { name: 'Train Further…' }).waitFor();
  expect(await newest.getByRole('button', { name: 'Resume from Here' }).count()).toBe(0);
  // In a narrow panel, too, a checkpoint is a line, and its losses are seen.
  const wide = page.viewportSize()!;
  await editor.runCommand('View: Toggle Primary Side Bar Visibility');
  await page.setViewportSize({ width: 352, height: 800 });
  await expect.poll(() => panel.evaluate<number>('innerWidth')).toBeLessThan(352);
  const evaluation = newest.locator('td').nth(2);
  await expect
    .poll(async () => {
      const box = (await evaluation.boundingBox())!;
      return box.x + box.width;
    })
    .toBeLessThan(352);
  expect((await newest.boundingBox())!.height).toBeLessThan(60);
  await page.setViewportSize(wide);
  await editor.runCommand('View: Toggle Primary Side Bar Visibility');
  await panel.locator('header').getByRole('button', { name: 'Train Further…' }).click();
  await page.locator('.tab.active[data-resource-name="first-2.lorafa.json"]').waitFor();
  const further = await readFile(path.join(folder, 'first-2.lorafa.json'), 'utf8');
  expect(JSON.parse(further)).toMatchObject({
    lora: { init_adapter: 'runs/first' },
    training: { output_dir: 'runs/first-2' },
  });
});

test('a new configuration is made of a model, data, what is learned of them and a name', async () => {
  const folder = await demoFolder(FIRST);
  const editor = await openEditor({ folder });
  const { page } = editor;
  const choices = page.locator('.quick-input-widget .monaco-list-row');
  await editor.runCommand('LoRA-FA: New Run Configuration');
  await choices
    .filter({ hasText: /base.*Trains in/s })
    .first()
    .waitFor();
  await editor.screenshot('new-configuration');
  await choices.filter({ hasText: 'base' }).first().click();
  await choices.filter({ hasText: 'data/train.jsonl' }).click();
  await choices.filter({ hasText: 'Learn prompt → completion' }).click();
  await page.locator('.quick-input-title', { hasText: 'name (4/4)' }).waitFor();
  const name = page.locator('.quick-input-widget input[type="text"]');
  await name.fill('first');
  await page.locator('.quick-input-message', { hasText: 'exists already' }).waitFor();
  await name.fill('answers');
  await page.locator('.quick-input-message', { hasText: 'exists already' }).waitFor({
    state: 'detached',
  });
  // What somebody makes while the question stands there is never overwritten.
  const file = path.join(folder, 'answers.lorafa.json');
  await writeFile(file, '{}');
  await page.keyboard.press('Enter');
  await page
    .locator('.notification-list-item', { hasText: /answers\.lorafa\.json could not be made/ })
    .waitFor();
  expect(await readFile(file, 'utf8')).toBe('{}');
  await rm(file);
  await editor.runCommand('Notifications: Clear All Notifications');

  await editor.runCommand('LoRA-FA: New Run Configuration');
  await choices.filter({ hasText: 'base' }).first().click();
  await choices.filter({ hasText: 'data/train.jsonl' }).click();
  await choices.filter({ hasText: 'Learn prompt → completion' }).click();
  await page.locator('.quick-input-title', { hasText: 'name (4/4)' }).waitFor();
  await name.fill('answers');
  await page.keyboard.press('Enter');
  await page.locator('.tab.active[data-resource-name="answers.lorafa.json"]').waitFor();
  const text = await readFile(file, 'utf8');
  expect(text).toContain('"base_model_name_or_path": "base"');
  expect(text).toContain('"output_dir": "runs/answers"');
});
