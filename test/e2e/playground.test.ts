import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { expect, test } from 'vitest';
import { folderWithAdapter } from '../support/folder-with-adapter.ts';
import { type Editor, openEditor } from './editor/editor.ts';

const NOTE = 'Hi there\nThe end\n';

/** Tokens that no machine writes while one looks. */
const CONTEXT = 20_000;

/** Lets a model look at, and so write, many more tokens. */
async function lengthenContext(model: string): Promise<void> {
  const file = path.join(model, 'config.json');
  const config: unknown = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...Object(config), max_position_embeddings: CONTEXT }));
}

async function pickAdapter(editor: Editor): Promise<void> {
  const rows = editor.page.locator('.quick-input-widget .monaco-list-row');
  await rows
    .filter({ hasText: /my-adapter(?!\/)/ })
    .first()
    .click();
}

/** What base and adapter have written. */
function answers(frame: Frame): Promise<readonly (string | null)[]> {
  const names = ['Base model', 'With the adapter'];
  return Promise.all(
    names.map((name) => frame.getByRole('region', { name }).locator('pre').textContent()),
  );
}

test('base and adapter write side by side, can be stopped, and come back after a reload', async () => {
  const folder = await folderWithAdapter();
  await lengthenContext(path.join(folder, 'model'));
  const editor = await openEditor({ folder });
  await editor.runCommand('LoRA-FA: Test Adapter');
  let frame = await editor.webviewFrame('Playground');
  await frame
    .getByRole('combobox', { name: 'Adapter', exact: true })
    .selectOption({ label: 'my-adapter' });
  await frame.getByLabel('Prompt', { exact: true }).fill('Hi');
  await frame.getByText('Sampling').click();
  await frame.getByLabel('Most new tokens').fill('24');
  await frame.getByRole('button', { name: 'Generate' }).click();
  const base = frame.getByRole('region', { name: 'Base model' });
  const adapter = frame.getByRole('region', { name: 'With the adapter' });
  await base.getByText(/tokens\/s/).waitFor();
  await adapter.getByText(/tokens\/s/).waitFor();
  const written = await adapter.locator('pre').textContent();
  expect(written).not.toBe('');
  expect(await base.locator('pre').textContent()).not.toBe(written);
  expect(await editor.processesOf('generator.js')).toHaveLength(1);

  // Who has written gets another name, and what was written stays.
  await editor.runCommand('LoRA-FA: Rename Run…');
  const name = editor.page.locator('.quick-input-widget input[type="text"]');
  await expect.poll(() => name.inputValue()).toBe('my-adapter');
  await name.fill('renamed');
  await name.press('Enter');
  await expect
    .poll(() => frame.getByRole('combobox', { name: 'Adapter', exact: true }).inputValue())
    .toBe(path.join(folder, 'renamed'));
  expect(await adapter.locator('pre').textContent()).toBe(written);
  await adapter.getByText(/tokens\/s/).waitFor();
  await frame.getByText('History of renamed (1)').waitFor();

  // The base model would repeat itself until then.
  await frame.getByLabel('Most new tokens').fill(String(CONTEXT));
  await frame.getByRole('button', { name: 'Generate' }).click();
  await base.getByText('Writing…').waitFor();
  await expect.poll(() => base.locator('pre').textContent()).not.toBe('');
  await frame.getByRole('button', { name: 'Stop' }).click();
  await base.getByText('stopped').waitFor();
  await adapter.getByText(/stopped|ended by itself/).waitFor();
  const stopped = await answers(frame);

  await editor.reload();
  frame = await editor.webviewFrame('Playground');
  expect(await frame.getByLabel('Prompt', { exact: true }).inputValue()).toBe('Hi');
  await frame.locator('option', { hasText: 'renamed' }).first().waitFor({ state: 'attached' });
  expect(await answers(frame)).toEqual(stopped);

  // Who is picked meanwhile has written nothing: the text ends, and does not stand under another name.
  await frame.getByRole('button', { name: 'Generate' }).click();
  await frame.getByRole('region', { name: 'Base model' }).getByText('Writing…').waitFor();
  const beside = frame.getByRole('combobox', { name: 'Beside it' });
  const option = beside.locator('option', { hasText: /^checkpoint-\d+ of renamed$/ }).first();
  const label = (await option.textContent())!;
  await beside.selectOption({ label });
  const other = frame.getByRole('region', { name: label });
  await other.getByText('Nothing written yet.').waitFor();
  expect(await other.locator('pre').textContent()).toBe('');
  await expect.poll(() => frame.getByRole('button', { name: 'Stop' }).isDisabled()).toBe(true);

  // What appears on disk can be picked without looking again, and takes nothing away from what is picked; a list
  // that is open does not change under the hand.
  const adapters = frame.getByRole('combobox', { name: 'Adapter', exact: true });
  await frame.evaluate(`
    before = [...document.querySelectorAll('option')];
    told = new Promise((resolve) => addEventListener('message', ({ data }) => {
      if (data.type === 'catalog' && data.adapters.some(({ name }) => name === 'copied')) resolve();
    }));
    undefined;
  `);
  await adapters.click();
  await expect.poll(() => frame.locator('select:open').count()).toBe(1);
  await cp(path.join(folder, 'renamed'), path.join(folder, 'copied'), { recursive: true });
  await frame.evaluate('told');
  const copied = adapters.locator('option', { hasText: /^copied$/ });
  expect(await copied.count()).toBe(0);
  await editor.page.keyboard.press('Escape');
  await copied.waitFor({ state: 'attached' });
  expect(await frame.evaluate('before.every(({ isConnected }) => isConnected)')).toBe(true);
  expect(await adapters.inputValue()).toBe(path.join(folder, 'renamed'));

  // One that is picked and goes does not go without a word.
  await adapters.selectOption({ label: 'copied' });
  await rm(path.join(folder, 'copied'), { recursive: true });
  const gone = frame.getByText('The adapter copied is not there any more');
  await gone.waitFor();
  expect(await adapters.inputValue()).toBe('');
  await editor.screenshot('playground-gone');
  await adapters.selectOption({ label: 'renamed' });
  await gone.waitFor({ state: 'detached' });
});

test('a selection is answered below it, in one step to undo', async () => {
  const folder = await folderWithAdapter();
  const note = path.join(folder, 'note.txt');
  await writeFile(note, NOTE);
  // A save ends a step to undo.
  const editor = await openEditor({ folder, settings: { 'files.autoSave': 'off' } });
  const { page } = editor;
  await editor.openFile('note.txt');
  await editor.goTo(1, 1);
  await page.keyboard.press('Shift+End');
  await editor.waitForStatusBar('8 selected');
  await editor.runCommand('LoRA-FA: Run Selection Through Adapter');
  await pickAdapter(editor);
  await page.locator('.monaco-list-row', { hasText: 'Insert below the selection' }).click();
  // The notification of the progress is there while the model is loaded, and gone when all is written.
  const progress = page.locator('.notification-toast', { hasText: 'is writing…' });
  await progress.waitFor();
  await progress.waitFor({ state: 'detached' });
  await page.locator('.tab.active.dirty').waitFor();
  await editor.waitForStatusBar('8 selected');
  await page.keyboard.press('Control+S');
  await expect.poll(() => readFile(note, 'utf8')).toMatch(/^Hi there\n[\s\S]+\nThe end\n$/);
  await page.keyboard.press('Control+Z');
  await page.keyboard.press('Control+S');
  await expect.poll(() => readFile(note, 'utf8')).toBe(NOTE);

  // The next time neither is asked for, wherever one finds the command.
  await editor.waitForStatusBar('8 selected');
  const line = page.locator('.monaco-editor .view-line', { hasText: 'Hi there' });
  await editor.takeFromMenu(line, 'Run Selection Through Adapter', { x: 20, y: 8 });
  // The model is in memory now: the notification may come and go before anybody sees it.
  await page.locator('.tab.active.dirty').waitFor();
  await page.keyboard.press('Control+S');
  await expect.poll(() => readFile(note, 'utf8')).toMatch(/^Hi there\n[\s\S]+\nThe end\n$/);
});
