import { access, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import { RunLock } from '../../engine/train/run-lock.ts';
import { folderWithAdapter } from '../support/folder-with-adapter.ts';
import {
  demoFolder,
  PATIENCE_MS,
  RUNS_TIMEOUT_MS,
  runPanel,
  waitForState,
} from './editor/demo-runs.ts';
import { type Editor, openEditor } from './editor/editor.ts';

/** A window with the view of adapters: one of a run with its checkpoints, and `shared`, from elsewhere. */
async function openAdapters() {
  const folder = await folderWithAdapter();
  const run = path.join(folder, 'my-adapter');
  for (const name of ['adapter_config.json', 'adapter_model.safetensors']) {
    await cp(path.join(run, name), path.join(folder, 'shared', name));
  }
  const editor = await openEditor({ folder });
  await editor.openActivity('LoRA-FA');
  const { page } = editor;
  const pane = page.locator('.sidebar .pane', { hasText: 'Adapters' });
  await pane.locator('.pane-header', { hasText: 'Adapters' }).click();
  const row = (text: string): Locator => pane.locator('.monaco-list-row', { hasText: text });
  await row('shared').waitFor();
  return { folder, run, editor, row };
}

const pickedIn = async (editor: Editor): Promise<Locator> =>
  (await editor.webviewFrame('Playground')).getByRole('combobox', { name: 'Adapter', exact: true });

const dialog = (editor: Editor): Locator => editor.page.locator('.monaco-dialog-box');

test('adapters say what they are, are tried and talked to, get other names and go', {
  timeout: 180_000,
}, async () => {
  const { folder, run, editor, row } = await openAdapters();
  const { page } = editor;
  // How good it is nobody knows of one from elsewhere.
  await row('my-adapter')
    .filter({ hasText: /loss \d\.\d{3} · r=2 · model · / })
    .waitFor();
  await row('shared')
    .filter({ hasText: /^sharedr=2 · model · / })
    .waitFor();

  // The panel of the run, which is soon behind other tabs.
  const runs = page.locator('.sidebar .pane', { hasText: 'Runs' });
  await runs.locator('.monaco-list-row', { hasText: 'my-adapter' }).click();
  await editor.webviewFrame('my-adapter');

  // A click selects; who clicks twice, or presses Enter, tries it.
  await row('shared').click();
  await row('shared').and(page.locator('.selected')).waitFor();
  expect(await page.locator('.tab', { hasText: 'Playground' }).count()).toBe(0);
  await page.keyboard.press('Enter');
  await editor.webviewFrame('Playground');
  await editor.runCommand('View: Close Editor');
  await page.locator('.tab', { hasText: 'Playground' }).waitFor({ state: 'detached' });
  await row('shared').dblclick();
  await expect
    .poll(async () => (await pickedIn(editor)).inputValue())
    .toBe(path.join(folder, 'shared'));

  // The playground follows what is renamed.
  await editor.takeFromMenu(row('shared'), 'Chat with Adapter');
  const playground = await editor.webviewFrame('Playground');
  await playground.getByRole('tab', { name: 'Chat', selected: true }).waitFor();
  const picked = await pickedIn(editor);
  await expect.poll(() => picked.inputValue()).toBe(path.join(folder, 'shared'));
  // So does a tab with one of its files.
  await editor.openFile('shared/adapter_config.json');
  // A key is for the row where one is, which arrow keys do not select.
  await row('my-adapter').click();
  await page.keyboard.press('ArrowUp');
  await row('shared').and(page.locator('.focused:not(.selected)')).waitFor();
  await page.keyboard.press('F2');
  const name = page.locator('.quick-input-widget input[type="text"]');
  await expect.poll(() => name.inputValue()).toBe('shared');
  const refused = page.locator('.quick-input-message');
  await name.fill('my-adapter');
  await refused.filter({ hasText: 'something of the name "my-adapter" beside it' }).waitFor();
  await name.fill('CON');
  await refused.filter({ hasText: 'a device on Windows' }).waitFor();
  await name.fill('answers');
  await name.press('Enter');
  await row('answers').and(page.locator('.selected')).waitFor();
  // The tab of the new place takes over from that of the old.
  await page.locator('.breadcrumbs-control', { hasText: 'answers' }).first().waitFor();
  await expect.poll(() => page.locator('.tab[aria-label*="adapter_config.json"]').count()).toBe(1);
  expect(await page.locator('.tab .deleted, .tab.deleted').count()).toBe(0);
  await row('shared').waitFor({ state: 'detached' });
  await expect.poll(() => picked.inputValue()).toBe(path.join(folder, 'answers'));
  expect((await readdir(path.join(folder, 'answers'))).length).toBe(2);

  // That of a run is the run's, which the list of runs and the playground hear of too. Its checkpoints stay in sight.
  await row('my-adapter').locator('.monaco-tl-twistie').click();
  await row('step ').first().waitFor();
  await playground.getByRole('combobox', { name: 'Adapter', exact: true }).selectOption(run);
  await editor.takeFromMenu(row('my-adapter'), 'Rename Adapter…');
  await expect.poll(() => name.inputValue()).toBe('my-adapter');
  await name.fill('first');
  await name.press('Enter');
  await runs.locator('.monaco-list-row', { hasText: /^first/ }).waitFor();
  await row('first').waitFor();
  await expect.poll(() => picked.inputValue()).toBe(path.join(folder, 'first'));

  await row('step ').first().waitFor();
  await editor.screenshot('adapters-view', [
    'light',
    'dark',
    'high-contrast',
    'high-contrast-light',
  ]);
  await editor.takeFromMenu(row('answers'), 'Reveal Adapter');
  await page
    .locator('.explorer-folders-view .monaco-list-row.selected', { hasText: 'answers' })
    .waitFor();
  await editor.openActivity('LoRA-FA');

  // By keyboard; what is lost is said before, and where there is no trash it is asked once more.
  await row('first').click();
  await page.keyboard.press('ArrowUp');
  await row('answers').and(page.locator('.focused:not(.selected)')).waitFor();
  await page.keyboard.press('Delete');
  await dialog(editor).getByText('Delete the adapter answers?').waitFor();
  await dialog(editor).getByText('Nothing else here can make again what it has learned.').waitFor();
  await editor.screenshot('delete-adapter');
  await dialog(editor).getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog(editor).getByRole('button', { name: 'Delete for Good' }).click();
  await row('answers').waitFor({ state: 'detached' });
  await row('first').and(page.locator('.selected')).waitFor();
  await expect(access(path.join(folder, 'answers'))).rejects.toThrow('ENOENT');

  // The panel has the run's new name, and is of it.
  await page.locator('.tab', { hasText: 'first' }).click();
  const panel = await editor.webviewFrame('first');
  await panel.getByRole('group', { name: 'Use the adapter of first' }).waitFor();
});

test('nothing is deleted or renamed that a run writes into, and a checkpoint goes alone', {
  timeout: 180_000,
}, async () => {
  const { run, editor, row } = await openAdapters();
  const { page } = editor;
  await row('my-adapter').locator('.monaco-tl-twistie').click();
  const checkpoints = row('step ');
  await checkpoints.first().waitFor();
  const before = await checkpoints.count();
  const told = page.locator('.notification-list-item');

  const lock = await RunLock.acquire(run);
  await editor.takeFromMenu(checkpoints.first(), 'Delete Adapter…');
  await told.filter({ hasText: /The run in .*my-adapter goes on; stop it/ }).waitFor();
  await editor.takeFromMenu(row('my-adapter').first(), 'Delete Adapter…');
  await told.filter({ hasText: 'cannot be deleted, stop it first: my-adapter.' }).waitFor();
  await lock.release();
  await rm(path.join(run, 'run.lock'), { force: true });

  // A name that says a step is not offered another one.
  const menu = page.locator('.context-view .monaco-menu');
  await checkpoints.first().click({ button: 'right' });
  await menu.getByText('Delete Adapter…', { exact: true }).waitFor();
  expect(await menu.getByText('Rename Adapter…', { exact: true }).count()).toBe(0);
  await page.keyboard.press('Escape');
  // A key that comes while the list is drawn anew, as it is when a run has ended, asks which row is meant.
  await vi.waitFor(
    async () => {
      await page.keyboard.press('Escape');
      await checkpoints.first().click();
      await page.keyboard.press('F2');
      await told
        .filter({ hasText: 'A checkpoint is named after its step' })
        .waitFor({ timeout: 3_000 });
    },
    { timeout: 30_000, interval: 200 },
  );
  await editor.takeFromMenu(checkpoints.first(), 'Delete Adapter…');
  await dialog(editor)
    .getByText(/The run my-adapter can no more be resumed from there/)
    .waitFor();
  await dialog(editor).getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog(editor).getByRole('button', { name: 'Delete for Good' }).click();
  await expect.poll(() => checkpoints.count()).toBe(before - 1);
});

test('checkpoints come and go in the view while a run goes on', {
  timeout: RUNS_TIMEOUT_MS,
}, async () => {
  const long = { name: 'long', maxSteps: 60_000, learningRate: 1e-3, accumulation: 1, kept: 2 };
  const folder = await demoFolder({ ...long, saveSteps: 20 });
  const editor = await openEditor({ folder });
  const { page } = editor;
  await editor.openActivity('LoRA-FA');
  const pane = page.locator('.sidebar .pane', { hasText: 'Adapters' });
  await pane.locator('.pane-header', { hasText: 'Adapters' }).click();
  await editor.openFile('long.lorafa.json');
  await editor.runCommand('LoRA-FA: Start Run');
  const panel = await runPanel(editor, 'long');
  const names = pane.locator('.monaco-list-row .label-name', { hasText: 'step ' });
  await names.first().waitFor({ timeout: PATIENCE_MS });
  const first = await names.last().innerText();
  await vi.waitFor(async () => expect(await names.allInnerTexts()).not.toContain(first), {
    timeout: PATIENCE_MS,
  });
  expect(await names.count()).toBeLessThanOrEqual(3);
  await waitForState(panel, 'Running');

  // One that somebody removes by hand says so when it is tried, and is shown no more.
  await panel.getByRole('button', { name: 'Stop' }).click();
  await waitForState(panel, 'Stopped');
  const files = await readdir(path.join(folder, 'runs/long'));
  const kept = files.filter((file) => /^checkpoint-\d+$/.test(file));
  // The last one, which stopping wrote and which pruned others, is drawn a moment later.
  await expect
    .poll(async () => (await names.allInnerTexts()).toSorted())
    .toEqual(kept.map((file) => file.replace('checkpoint-', 'step ')).toSorted());
  const label = await names.last().innerText();
  const name = label.replace('step ', 'checkpoint-');
  await rm(path.join(folder, 'runs/long', name), { recursive: true });
  await names.last().dblclick();
  await page
    .locator('.notification-list-item', { hasText: `${name} of long is not there any more` })
    .waitFor();
  await expect.poll(() => names.allInnerTexts()).not.toContain(label);
});

test('the panel of a finished run has all that its adapter is good for in one place', {
  timeout: 120_000,
}, async () => {
  const { folder, run, editor } = await openAdapters();
  const { page } = editor;
  await page
    .locator('.sidebar .pane', { hasText: 'Runs' })
    .locator('.monaco-list-row', { hasText: 'my-adapter' })
    .click();
  const panel = await editor.webviewFrame('my-adapter');
  const use = panel.getByRole('group', { name: 'Use the adapter of my-adapter' });
  await use.waitFor();
  expect(await use.getByRole('button').allInnerTexts()).toEqual([
    'Test Adapter',
    'Chat',
    'Export Adapter…',
    'Push to the Hub…',
  ]);
  await use.getByRole('button', { name: 'Chat' }).click();
  const playground = await editor.webviewFrame('Playground');
  await playground.getByRole('tab', { name: 'Chat', selected: true }).waitFor();
  await expect.poll(async () => (await pickedIn(editor)).inputValue()).toBe(run);

  // Without a chat template nobody can chat, which the button says.
  const tokenizer = path.join(folder, 'model', 'tokenizer_config.json');
  const { chat_template: _, ...others } = JSON.parse(await readFile(tokenizer, 'utf8'));
  await writeFile(tokenizer, JSON.stringify(others));
  await page.locator('.tab', { hasText: 'my-adapter' }).click();
  const chat = (await editor.webviewFrame('my-adapter')).getByRole('button', { name: 'Chat' });
  await expect.poll(() => chat.isDisabled()).toBe(true);
  expect(await chat.getAttribute('title')).toMatch(/^One cannot chat with this model/);
});
