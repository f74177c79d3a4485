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
  await rows.filter({ hasText: 'Show Logs' }).waitFor();
  await editor.screenshot('views-welcome');
  await expect.poll(() => rows.allInnerTexts()).toContain('LoRA-FA: New Run Configuration');
  const offered = await rows.allInnerTexts();
  expect(offered).toContain('LoRA-FA: Doctor');
  expect(offered.join()).not.toMatch(/: (Pause|Resume|Stop|Open Run Panel)/);
});
