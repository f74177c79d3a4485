import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { type Editor, openEditor } from './editor/editor.ts';

const CONFIG = `{
  // Learns to answer as the support team does.
  "model": { "base_model_name_or_path": "base" },
  "data": { "dataset_name_or_path": "train.jsonl" },
  "training": {
    "output_dir": "runs/first",
    "learning_rte": 1e-4,
    "num_train_epochs": 0
  }
}
`;

async function openConfig(options: { trusted?: boolean } = {}): Promise<Editor> {
  const folder = path.join(await tempFolder(), 'support-bot');
  await mkdir(folder);
  await writeFile(path.join(folder, 'first.lorafa.json'), CONFIG);
  const editor = await openEditor({ folder, ...options });
  await editor.openFile('first.lorafa.json');
  return editor;
}

test('a run configuration is checked, explained and completed while it is written', async () => {
  const editor = await openConfig();
  const { page } = editor;

  await editor.runCommand('Problems: Focus on Problems View');
  const problems = page.locator('.markers-panel .monaco-list-row');
  await problems.filter({ hasText: 'did you mean `training.learning_rate`?' }).waitFor();
  await problems
    .filter({ hasText: '`training.num_train_epochs` must be a number above 0' })
    .waitFor();
  // What the files say, which lie beside the configuration or should.
  await problems.filter({ hasText: 'There is no model at' }).waitFor();
  await problems.filter({ hasText: 'it does not exist; check the path' }).waitFor();
  await expect.poll(() => page.locator('.squiggly-error').count()).toBe(4);
  await editor.screenshot('config-problems');

  await page.locator('.view-line span', { hasText: 'num_train_epochs' }).last().hover();
  const hover = page.locator('.monaco-hover:visible');
  await hover.filter({ hasText: 'Passes over the training data' }).waitFor();
  await hover
    .filter({ hasText: 'Accepts a number above 0 and at most 1000000. Default: 3.' })
    .waitFor();
  await editor.screenshot('config-hover');

  // The misspelt key is written anew, with the help of the list.
  await editor.goTo(7, 18);
  await page.keyboard.press('Control+Shift+ArrowLeft');
  await page.keyboard.type('lr_scheduler_t');
  const suggestions = page.locator('.suggest-widget:visible .monaco-list-row');
  await suggestions.filter({ hasText: 'lr_scheduler_type' }).waitFor();
  await editor.screenshot('config-completion');
  await page.keyboard.press('Tab');
  await page.locator('.view-line', { hasText: '"lr_scheduler_type": 1e-4' }).waitFor();
  await problems.filter({ hasText: '`training.lr_scheduler_type` must be "constant"' }).waitFor();
});

test('a key is found by its bare name, and its values are offered when it is taken', async () => {
  const editor = await openConfig();
  const { page } = editor;
  const suggestions = page.locator('.suggest-widget:visible .monaco-list-row');
  await page.locator('.squiggly-error').first().waitFor();
  await editor.goTo(6, 32);
  await page.keyboard.press('Enter');
  await page.keyboard.type('lr_scheduler_t');
  await suggestions
    .filter({ hasText: 'lr_scheduler_type' })
    .and(page.locator('.focused'))
    .waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.view-line', { hasText: '"lr_scheduler_type": ,' }).waitFor();
  await suggestions.filter({ hasText: 'constant_with_warmup' }).waitFor();
  await page.keyboard.type('lin');
  await suggestions.filter({ hasText: '"linear"' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.view-line', { hasText: '"lr_scheduler_type": "linear",' }).waitFor();

  // A key that takes a path offers what lies there.
  await editor.goTo(3, 16);
  await page.keyboard.press('Control+Shift+K');
  await editor.goTo(2, 1);
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('model');
  await suggestions.filter({ hasText: 'model' }).and(page.locator('.focused')).waitFor();
  await page.keyboard.press('Enter');
  await suggestions.filter({ hasText: 'base_model_name_or_path' }).first().waitFor();
});

test('in a folder that is not trusted no server is started until it is', async () => {
  const editor = await openConfig({ trusted: false });
  await editor.runCommand('LoRA-FA: Show Logs');
  await editor.waitForStatusBar('Restricted Mode');
  expect(await editor.processesOf('language-server.js')).toEqual([]);

  await editor.runCommand('Workspaces: Manage Workspace Trust');
  await editor.page
    .locator('.workspace-trust-editor .monaco-button', { hasText: 'Trust' })
    .first()
    .click();
  await editor.openFile('first.lorafa.json');
  await editor.page.locator('.squiggly-error').first().waitFor();
  await expect.poll(() => editor.processesOf('language-server.js')).toHaveLength(1);
});
