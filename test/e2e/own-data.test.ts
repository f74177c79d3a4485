import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { accessibilityProblems } from './editor/accessibility.ts';
import { type Editor, openEditor } from './editor/editor.ts';

const CSV = `ticket;reply;date
${Array.from({ length: 30 }, (_, index) => `"My parcel ${index} has not come; where is it?";It left our house on day ${index}.;2024-01-${index}`).join('\n')}
`;

/** A folder with the demo's base model and a table whose columns have names of their own. */
async function folderWithTable(): Promise<string> {
  const folder = await tempFolder();
  await cp('media/demo/base', path.join(folder, 'base'), { recursive: true });
  await writeFile(path.join(folder, 'tickets.csv'), CSV);
  return folder;
}

function row(editor: Editor, text: string) {
  return editor.page.locator('.quick-input-widget .monaco-list-row', { hasText: text }).first();
}

/** The form that is shown: VS Code gives the frames of custom editors no title. */
function formOf({ page }: Editor): Promise<Frame> {
  return vi.waitUntil(
    async () => {
      for (const frame of page.frames()) {
        const fields = frame.locator('[data-path="data.completion_column"]');
        if ((await fields.count().catch(() => 0)) > 0) return frame;
      }
      return undefined;
    },
    { timeout: 30_000, interval: 200 },
  );
}

/** Takes an item of the context menu of a file in the explorer. */
function takeFromMenu(editor: Editor, file: string, item: string): Promise<void> {
  const entry = editor.page.locator('.explorer-folders-view .monaco-list-row', { hasText: file });
  return editor.takeFromMenu(entry, item);
}

test('a table of one’s own becomes a configuration: from the explorer, back and forth', async () => {
  const folder = await folderWithTable();
  const editor = await openEditor({ folder });
  const { page } = editor;
  const title = page.locator('.quick-input-title');
  const back = page.locator('.quick-input-titlebar').getByRole('button', { name: /Back/ });

  // Before there is a configuration, the preview offers to make one.
  await takeFromMenu(editor, 'tickets.csv', 'Preview Training Data');
  const offer = page.locator('.notification-list-item', { hasText: 'No run configuration uses' });
  await offer.getByRole('button', { name: 'New Run Configuration…' }).click();
  await row(editor, 'base').click();
  await title.filter({ hasText: 'columns of tickets.csv (2/3)' }).waitFor();
  await row(editor, 'Learn “reply” from “ticket”').waitFor();
  await row(editor, 'My parcel 4').waitFor();
  await editor.screenshot('new-configuration-columns');

  // Another column than the suggested one, and back from there through all steps.
  await row(editor, 'date').click();
  await row(editor, 'Nothing: learn all of “date”').waitFor();
  await back.click();
  await row(editor, 'Learn “reply” from “ticket”').waitFor();
  await back.click();
  await title.filter({ hasText: 'base model (1/3)' }).waitFor();
  await row(editor, 'base').click();
  await row(editor, 'Learn “reply” from “ticket”').click();
  await title.filter({ hasText: 'name (3/3)' }).waitFor();
  const box = page.locator('.quick-input-widget input[type="text"]');
  const refusal = page.locator('.quick-input-message', { hasText: 'Use letters' });
  await box.fill('Anfragen/2024');
  await refusal.waitFor();
  await box.fill('Störungen 2024');
  await refusal.waitFor({ state: 'hidden' });
  await box.fill('tickets');
  await page.keyboard.press('Enter');

  await page.locator('.tab.active[data-resource-name="tickets.lorafa.json"]').waitFor();
  const text = await readFile(path.join(folder, 'tickets.lorafa.json'), 'utf8');
  expect(text).toContain('"prompt_column": "ticket",\n    "completion_column": "reply"');
  // All that it names is there.
  await page.locator('.view-line', { hasText: 'steps per epoch' }).first().waitFor();
  await expect.poll(() => page.locator('.squiggly-error').count()).toBe(0);

  await takeFromMenu(editor, 'tickets.csv', 'Preview Training Data');
  const preview = await editor.webviewFrame('Data: tickets.lorafa.json');
  await preview.getByText('ticket → reply').waitFor();
  await takeFromMenu(editor, 'tickets.lorafa.json', 'Open as Form');
  await formOf(editor);
});

test('columns that nobody knows are mended by what they say, in the text and in the form', async () => {
  const folder = await folderWithTable();
  const file = path.join(folder, 'first.lorafa.json');
  const config = (data: string): string => `{
  "model": { "base_model_name_or_path": "base" },
  "data": {
    // What customers wrote to us.
    "dataset_name_or_path": "tickets.csv"${data}
  },
  "training": { "output_dir": "run" }
}
`;
  await writeFile(file, config(''));
  const editor = await openEditor({ folder });
  const { page } = editor;
  await editor.openFile('first.lorafa.json');
  await editor.runCommand('Problems: Focus on Problems View');
  const problems = page.locator('.markers-panel .monaco-list-row');
  await problems.filter({ hasText: 'set data.prompt_column and data.completion_column' }).waitFor();
  await vi.waitFor(
    async () => {
      await page.keyboard.press('Escape');
      await editor.goTo(5, 35);
      await page.keyboard.press('Control+.');
      const fixes = page.locator('.action-widget .monaco-list-row');
      await fixes
        .filter({ hasText: 'Learn "reply" from "ticket"' })
        .first()
        .click({ timeout: 4_000 });
    },
    { timeout: 30_000 },
  );
  await problems.filter({ hasText: 'set data.prompt_column' }).waitFor({ state: 'detached' });
  // What is left is said of the rows themselves: no blank stands between question and answer.
  await problems.filter({ hasText: 'run from the prompt into the completion' }).waitFor();
  await expect.poll(() => page.locator('.squiggly-error').count()).toBe(0);
  await page.keyboard.press('Control+S');
  const mended = config(',\n    "prompt_column": "ticket",\n    "completion_column": "reply"');
  await expect.poll(() => readFile(file, 'utf8')).toBe(mended);

  await editor.runCommand('LoRA-FA: Open as Form');
  const form = await formOf(editor);
  const field = form.locator('[data-path="data.completion_column"]');
  await field.locator('vscode-single-select').click();
  await field.locator('[role="option"]', { hasText: 'date' }).click();
  await page.keyboard.press('Control+S');
  await expect.poll(() => readFile(file, 'utf8')).toBe(mended.replace('"reply"', '"date"'));
  await editor.screenshot('form-columns');
  expect(await accessibilityProblems(form)).toEqual([]);
});

test('the parts of a set in a folder are chosen as one', async () => {
  const folder = await folderWithTable();
  await mkdir(path.join(folder, 'parts'));
  const part = '{"prompt": "How much is a parcel?", "completion": "Four euros."}\n'.repeat(30);
  for (const name of ['a.jsonl', 'b.jsonl'])
    await writeFile(path.join(folder, 'parts', name), part);
  const editor = await openEditor({ folder });
  const { page } = editor;
  await editor.runCommand('LoRA-FA: New Run Configuration');
  await row(editor, 'base').click();
  await row(editor, 'Look for a folder of data files').waitFor();
  await row(editor, 'parts/a.jsonl').waitFor();
  await row(editor, 'parts2 files').click();
  await row(editor, 'Learn prompt → completion').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-title', { hasText: 'name (4/4)' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.tab.active[data-resource-name="parts.lorafa.json"]').waitFor();
  expect(await readFile(path.join(folder, 'parts.lorafa.json'), 'utf8')).toContain(
    '"dataset_name_or_path": "parts"',
  );
  await page.locator('.view-line', { hasText: 'steps per epoch' }).first().waitFor();
  await expect.poll(() => page.locator('.squiggly-error').count()).toBe(0);
});
