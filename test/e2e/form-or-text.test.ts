import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { field, formOf } from './editor/config-form.ts';
import { demoFolder } from './editor/demo-runs.ts';
import { type Editor, openEditor } from './editor/editor.ts';

const FILE = 'first.lorafa.json';
const CONFIG = `{
  "model": { "base_model_name_or_path": "base" },
  "data": { "dataset_name_or_path": "data/train.jsonl[:8]", "max_length": 128 },
  "lora": { "r": 0, "rank_pattern": { "down_proj": 32 }, "target_modules": ["q_porj"] },
  "training": { "output_dir": "runs/first", "max_steps": 1, "learning_rte": 1e-4 }
}
`;

async function openConfig(options: { readonly trusted?: boolean } = {}) {
  const folder = await demoFolder();
  await writeFile(path.join(folder, FILE), CONFIG);
  const settings = { 'workbench.editorAssociations': {} };
  const editor = await openEditor({ folder, settings, ...options });
  await editor.openFile(FILE);
  return { editor, folder };
}

function tabsOf({ page }: Editor) {
  return page.locator(`.tab[data-resource-name="${FILE}"]`);
}

test('a configuration has one tab, form or text by one setting', async () => {
  const { editor } = await openConfig();
  const { page } = editor;
  const line = page.locator('.view-line', { hasText: '"learning_rte"' });
  await formOf(editor, FILE);

  // One that is shown as text for once is again a form when it is opened, in the same place.
  await editor.runCommand('LoRA-FA: Open as Text');
  await line.waitFor();
  await expect.poll(() => tabsOf(editor).count()).toBe(1);
  await page.locator('.explorer-folders-view .monaco-list-row', { hasText: FILE }).click();
  await formOf(editor, FILE);
  await expect.poll(() => tabsOf(editor).count()).toBe(1);

  await editor.runCommand('LoRA-FA: Always Open Configurations as Text');
  await line.waitFor();
  await page.keyboard.press('Control+W');
  await expect.poll(() => tabsOf(editor).count()).toBe(0);
  await editor.openFile(FILE);
  await line.waitFor();
  // Errors are shown where one is.
  await editor.runCommand('LoRA-FA: Start Run');
  await page.locator('.notification-list-item', { hasText: 'has 3 errors' }).waitFor();
  await editor.waitForStatusBar(/Ln 4, Col 19 \(1 selected\)/);

  await editor.runCommand('LoRA-FA: Always Open Configurations as Forms');
  await formOf(editor, FILE);
  await expect.poll(() => tabsOf(editor).count()).toBe(1);
});

test('in a folder that is not trusted, the form says what needs trust and where to give it', async () => {
  const { editor, folder } = await openConfig({ trusted: false });
  const { page } = editor;
  const form = await formOf(editor, FILE);
  await form.locator('.banner', { hasText: 'Restricted Mode' }).waitFor();
  await expect
    .poll(() => form.locator('vscode-button', { hasText: 'Start Run' }).getAttribute('title'))
    .toBe('Needs a folder that is trusted');
  await editor.examine('config-editor-restricted', form);

  await editor.runCommand('LoRA-FA: Start Run');
  const refusal = page.locator('.notification-list-item', { hasText: 'not trusted' });
  await refusal.getByRole('button', { name: 'Manage Trust' }).waitFor();
  await editor.runCommand('LoRA-FA: Doctor');
  const report = await editor.webviewFrame('Preview LoRA-FA Doctor');
  await report.getByRole('heading', { name: 'What needs trust' }).waitFor();

  await tabsOf(editor).click();
  const again = await formOf(editor, FILE);
  await field(again, 'lora.r').locator('input').first().fill('8');
  await again.getByRole('button', { name: 'Manage Trust' }).click();
  await page
    .locator('.workspace-trust-editor .monaco-button', { hasText: 'Trust' })
    .first()
    .click();
  await page.locator('.monaco-modal-editor-block .codicon-close').first().click();
  await tabsOf(editor).click();
  const trusted = await formOf(editor, FILE);
  await trusted.locator('.banner', { hasText: 'Restricted Mode' }).waitFor({ state: 'hidden' });
  await trusted.locator('.place', { hasText: 'training' }).first().waitFor();
  await page.keyboard.press('Control+S');
  await expect.poll(() => readFile(path.join(folder, FILE), 'utf8')).toContain('"r": 8');
});
