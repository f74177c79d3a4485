import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { openEditor } from './editor/editor.ts';

test('a new user finds the views and, in the palette, what can be done without a run', async () => {
  const editor = await openEditor({ folder: await tempFolder() });
  const { page } = editor;
  await editor.openActivity('LoRA-FA');
  await page.locator('.welcome-view-content', { hasText: 'A run fine-tunes' }).waitFor();
  for (const view of ['Runs', 'Adapters', 'Base Models', 'Devices']) {
    await page.locator('.pane-header .title', { hasText: view }).waitFor();
  }

  await page.keyboard.press('F1');
  await page.locator('.quick-input-widget input[type="text"]').fill('>LoRA-FA: ');
  const rows = page.locator('.quick-input-list .monaco-list-row');
  await rows.filter({ hasText: 'New Run Configuration' }).waitFor();
  await editor.screenshot('views-welcome');
  // The list is longer than its place, and holds what is in sight; before its first line comes its last.
  const above = await rows.allInnerTexts();
  await page.keyboard.press('ArrowUp');
  await rows.filter({ hasText: 'Show Logs' }).waitFor();
  const offered = [...above, ...(await rows.allInnerTexts())];
  expect(offered).toContain('LoRA-FA: Doctor');
  expect(offered.join()).not.toMatch(/: (Pause|Resume|Stop|Open Run Panel)/);
  await page.keyboard.press('Escape');

  // What cannot be done yet says what leads there.
  const told = page.locator('.notification-list-item', { hasText: 'no run configuration' });
  await editor.runCommand('LoRA-FA: Start Run');
  await told.getByRole('button', { name: 'Open the Demo' }).waitFor();
  await told.getByRole('button', { name: 'New Run Configuration' }).click();
  await page.locator('.quick-input-title', { hasText: 'base model' }).waitFor();
  await page.keyboard.press('Escape');
  await editor.runCommand('LoRA-FA: Always Open Configurations as Forms');
  const always = page.locator('.notification-list-item', { hasText: 'open as forms from now on' });
  await always.waitFor();
});

test('a tab from before a reload, which nobody has looked at since, is not opened twice', async () => {
  const editor = await openEditor({ folder: await tempFolder() });
  const { page } = editor;
  await editor.runCommand('LoRA-FA: Test Adapter');
  await editor.webviewFrame('Playground');
  await editor.runCommand('File: New Untitled Text File');
  await page.locator('.tab.active', { hasText: 'Untitled-1' }).waitFor();
  await editor.reload();
  const tabs = page.locator('.tab', { hasText: 'Playground' });
  await tabs.waitFor();
  await editor.runCommand('LoRA-FA: Test Adapter');
  await editor.webviewFrame('Playground');
  await page.locator('.tab.active', { hasText: 'Playground' }).waitFor();
  await expect.poll(() => tabs.count()).toBe(1);
});
