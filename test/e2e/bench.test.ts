import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { openEditor } from './editor/editor.ts';

test('the bench reads status bar and webviews, before and after a reload of the window', async () => {
  const folder = await tempFolder();
  await writeFile(path.join(folder, 'notes.md'), '# The bench works\n');
  const editor = await openEditor({ folder, settings: { 'editor.tabSize': 7 } });
  await editor.openFile('notes.md');
  await editor.waitForStatusBar('Markdown');
  await editor.waitForStatusBar('Spaces: 7');

  await editor.runCommand('Markdown: Open Preview');
  for (const _ of ['as opened', 'as restored']) {
    const preview = await editor.webviewFrame('Preview notes.md');
    await preview.locator('h1', { hasText: 'The bench works' }).waitFor();
    await editor.reload();
  }
});
