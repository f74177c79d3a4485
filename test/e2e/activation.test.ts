import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { type Editor, openEditor } from './editor/editor.ts';

const LIMIT_MS = 300;

test('activation is quick and starts no server', async () => {
  const editor = await openEditor({ folder: await tempFolder() });
  // The list of running extensions is sorted by time and holds only the rows that can be seen.
  await editor.page.setViewportSize({ width: 1280, height: 2400 });
  let best = await activate(editor);
  // A busy machine can make any single figure large; the smallest of three is the extension's own.
  for (let attempt = 2; attempt <= 3 && best >= LIMIT_MS; attempt++) {
    await editor.reload();
    best = Math.min(best, await activate(editor));
  }
  expect(best).toBeLessThan(LIMIT_MS);
  expect(await editor.processesOf('language-server.js')).toEqual([]);
});

/** Has the extension activated by a command and returns the milliseconds that VS Code measured. */
async function activate(editor: Editor): Promise<number> {
  await editor.runCommand('LoRA-FA: Show Logs');
  await editor.runCommand('Developer: Show Running Extensions');
  const row = editor.page.locator('.runtime-extensions-editor .extension', { hasText: 'LoRA-FA' });
  // It says "Activating…" until it is done.
  const time = await row.locator('.activation-time', { hasText: /\d+ms/ }).textContent();
  return Number(/(\d+)ms/.exec(time ?? '')![1]);
}
