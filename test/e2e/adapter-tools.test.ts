import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { folderWithAdapter } from '../support/folder-with-adapter.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { openEditor } from './editor/editor.ts';

test('the doctor says what this machine can do', async () => {
  const editor = await openEditor({ folder: await tempFolder() });
  await editor.runCommand('LoRA-FA: Doctor');
  const report = await editor.webviewFrame('Preview LoRA-FA Doctor');
  await report.getByText('Runs can be started here. Devices:').waitFor();
  await report.getByRole('heading', { name: 'What is missing' }).waitFor();
  // What libraries say of their sources is for the log.
  await report.getByText('What their libraries themselves say stands in the log').waitFor();
  expect(await report.locator('body').innerText()).not.toMatch(/onnxruntime_src|node_modules/);
  await editor.screenshot('doctor');
});

test('an adapter is copied without what only training needs', async () => {
  const folder = await folderWithAdapter();
  const target = path.join(folder, 'exports');
  await mkdir(target);
  const editor = await openEditor({ folder });
  const { page } = editor;
  await editor.runCommand('LoRA-FA: Export Adapter…');
  const rows = page.locator('.quick-input-widget .monaco-list-row');
  await rows.filter({ hasText: 'my-adapter/checkpoint' }).first().click();
  await rows.filter({ hasText: 'PEFT' }).first().waitFor();
  await expect.poll(() => rows.count()).toBe(6);
  await rows.filter({ hasText: 'PEFT' }).first().click();
  await chooseFolder(page, target);
  await page
    .getByText(/PEFT and programs that know its adapters load it/)
    .first()
    .waitFor();
  const [exported] = await readdir(target);
  expect(exported).toMatch(/^my-adapter-checkpoint-\d+$/);
  const files = await readdir(path.join(target, exported!));
  expect(files.sort()).toEqual([
    'README.md',
    'adapter_config.json',
    'adapter_model.safetensors',
    'loss-curve.svg',
  ]);
});

test.each([
  { as: 'one GGUF file', row: 'LM Studio', type: 'Q8_0', suffix: '.gguf' },
  {
    as: 'an ONNX folder',
    row: 'transformers.js',
    type: '16 bits',
    suffix: '-onnx',
  },
])('an adapter is exported as $as, of which VS Code says what came of it', async (format) => {
  const { row, type, suffix } = format;
  const folder = await folderWithAdapter();
  const target = path.join(folder, 'exports');
  await mkdir(target);
  await writeFile(path.join(target, `my-adapter${suffix}`), 'an earlier one');
  const editor = await openEditor({ folder });
  const { page } = editor;
  await editor.runCommand('LoRA-FA: Export Adapter…');
  const rows = page.locator('.quick-input-widget .monaco-list-row');
  await rows.filter({ hasText: 'my-adapter', hasNotText: 'checkpoint' }).first().click();
  // How much each takes comes while one reads.
  await rows.filter({ hasText: /Hugging Face.*merged into it · \d+ KiB/s }).waitFor();
  await editor.screenshot('export-formats', [
    'light',
    'dark',
    'high-contrast',
    'high-contrast-light',
  ]);
  await rows.filter({ hasText: row }).first().click();
  await rows.filter({ hasText: new RegExp(`${type}.*\\d+ KiB`, 's') }).waitFor();
  await rows.filter({ hasText: type }).first().click();
  await chooseFolder(page, target);
  await page
    .getByText(/was made \(.*\), read again and found right\./)
    .first()
    .waitFor();
  const names = [`my-adapter-2${suffix}`, `my-adapter${suffix}`];
  expect((await readdir(target)).toSorted()).toEqual(names.toSorted());
});

test("a finished adapter is among the models of VS Code's chat", async () => {
  const editor = await openEditor({ folder: await folderWithAdapter() });
  await editor.runCommand('Chat: Manage Language Models');
  const { page } = editor;
  await page.locator('.part.editor').getByText('my-adapter').first().waitFor();
  await editor.screenshot('chat-models');
});

/** Chooses a folder in VS Code's own dialog, which a browser has. */
async function chooseFolder(page: Page, folder: string): Promise<void> {
  const rows = page.locator('.quick-input-widget .monaco-list-row');
  const place = page.locator('.quick-input-widget input[type="text"]');
  const exportHere = page.getByRole('button', { name: 'Export Here' });
  // The dialog puts its own folder into the field when it has listed it.
  await rows.filter({ hasText: '..' }).first().waitFor();
  await expect.poll(() => place.inputValue()).toMatch(/\/$/);
  await place.fill(`${folder}/`);
  // It lists the folder, and the files in it are none to choose.
  await expect.poll(() => rows.allInnerTexts()).toEqual(['..']);
  await exportHere.click();
}
