import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { openEditor } from './editor/editor.ts';
import { processesOf } from './editor/processes.ts';

test('activation is quick and starts no server', async () => {
  const folder = await tempFolder();
  await writeFile(path.join(folder, 'tsconfig.json'), '{}');
  const editor = await openEditor({ folder });
  await editor.openFile('tsconfig.json');
  await editor.runCommand('Developer: Show Running Extensions');
  const row = editor.page.locator('.runtime-extensions-editor .extension', { hasText: 'LoRA-FA' });
  const time = await row.locator('.activation-time').innerText();
  const milliseconds = Number(/(\d+)ms/.exec(time)?.[1]);
  expect(milliseconds, time).toBeLessThan(300);
  expect(await processesOf('language-server.js')).toEqual([]);
});
