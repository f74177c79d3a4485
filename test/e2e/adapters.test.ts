import { access, cp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import { RunLock } from '../../engine/train/run-lock.ts';
import { folderWithAdapter } from '../support/folder-with-adapter.ts';
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
    .filter({ hasText: /loss \d\.\d{3} · rank 2 · model · < 1 MiB · / })
    .waitFor();
  await row('shared')
    .filter({ hasText: /^shared\s*rank 2 · model · < 1 MiB · / })
    .waitFor();

  // The playground follows what is renamed.
  await editor.takeFromMenu(row('shared'), 'Chat with Adapter');
  const playground = await editor.webviewFrame('Playground');
  await playground.getByRole('tab', { name: 'Chat', selected: true }).waitFor();
  const picked = await pickedIn(editor);
  await expect.poll(() => picked.inputValue()).toBe(path.join(folder, 'shared'));
  await row('shared').click();
  await page.keyboard.press('F2');
  const name = page.locator('.quick-input-widget input[type="text"]');
  await expect.poll(() => name.inputValue()).toBe('shared');
  await name.fill('answers');
  await name.press('Enter');
  await row('answers').waitFor();
  await row('shared').waitFor({ state: 'detached' });
  await expect.poll(() => picked.inputValue()).toBe(path.join(folder, 'answers'));
  expect((await readdir(path.join(folder, 'answers'))).length).toBe(2);

  // That of a run is the run's, which the list of runs and the playground hear of too.
  await playground.getByRole('combobox', { name: 'Adapter', exact: true }).selectOption(run);
  await editor.takeFromMenu(row('my-adapter'), 'Rename Adapter…');
  await expect.poll(() => name.inputValue()).toBe('my-adapter');
  await name.fill('first');
  await name.press('Enter');
  await page
    .locator('.sidebar .pane', { hasText: 'Runs' })
    .locator('.monaco-list-row', { hasText: /^first/ })
    .waitFor();
  await row('first').waitFor();
  await expect.poll(() => picked.inputValue()).toBe(path.join(folder, 'first'));

  await row('first').locator('.monaco-tl-twistie').click();
  await row('checkpoint-').first().waitFor();
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
  await row('answers').click();
  await page.keyboard.press('Delete');
  await dialog(editor)
    .getByText('What it has learned goes (< 1 MiB); nothing else here can make it again.')
    .waitFor();
  await editor.screenshot('delete-adapter');
  await dialog(editor).getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog(editor).getByRole('button', { name: 'Delete for Good' }).click();
  await row('answers').waitFor({ state: 'detached' });
  await expect(access(path.join(folder, 'answers'))).rejects.toThrow('ENOENT');
});

test('nothing is deleted or renamed that a run writes into, and a checkpoint goes alone', {
  timeout: 180_000,
}, async () => {
  const { run, editor, row } = await openAdapters();
  const { page } = editor;
  await row('my-adapter').locator('.monaco-tl-twistie').click();
  const checkpoints = row('checkpoint-');
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

  await editor.takeFromMenu(checkpoints.first(), 'Rename Adapter…');
  await told.filter({ hasText: 'A checkpoint is named after its step' }).waitFor();
  await editor.takeFromMenu(checkpoints.first(), 'Delete Adapter…');
  await dialog(editor)
    .getByText(/What the run my-adapter had learned by then goes/)
    .waitFor();
  await dialog(editor).getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog(editor).getByRole('button', { name: 'Delete for Good' }).click();
  await expect.poll(() => checkpoints.count()).toBe(before - 1);
});

test('the panel of a finished run has all that its adapter is good for in one place', {
  timeout: 120_000,
}, async () => {
  const { run, editor } = await openAdapters();
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
});
