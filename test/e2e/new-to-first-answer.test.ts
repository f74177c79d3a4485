import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { PATIENCE_MS } from './editor/demo-runs.ts';
import { openEditor } from './editor/editor.ts';
import { NEW_SETTINGS, Newcomer } from './editor/newcomer.ts';

const TIMEOUT_MS = 600_000;
const SENTENCE = 'Milo is 70 years old and lives in Toulouse.';

test('the demo: from an empty window to the first tuned answer', {
  timeout: TIMEOUT_MS,
}, async () => {
  const parent = await tempFolder();
  const editor = await openEditor({ settings: NEW_SETTINGS, trusted: false });
  const newcomer = new Newcomer(editor);
  const { page } = editor;
  await newcomer.click(newcomer.button('Fine-tune your first model', false));
  await newcomer.click(newcomer.button('Open the Demo'));
  // What comes too early for the page, which is still being made, one clicks again.
  await vi.waitFor(async () => {
    if (!(await newcomer.row('..').isVisible())) await newcomer.button('Open the Demo').click();
    await newcomer.row('..').waitFor({ timeout: 5000 });
  }, PATIENCE_MS);
  const box = page.locator('.quick-input-widget input[type="text"]');
  // The dialog puts its own folder into the field when it has listed it.
  await newcomer.row('..').waitFor();
  await expect.poll(() => box.inputValue()).toMatch(/\/$/);
  await box.fill(`${parent}/`);
  await expect
    .poll(() => page.locator('.quick-input-widget .monaco-list-row').allInnerTexts())
    .toEqual(['..']);
  await newcomer.click(newcomer.button('Put the Demo Here'));
  await page.locator('.tab.active[data-resource-name="demo.lorafa.json"]').waitFor();
  await newcomer.trust();
  const answer = await newcomer.trainAndAsk('demo', `${SENTENCE}\nJSON: `);
  expect(answer).toMatch(/^\{"name": "\w+", .*\}$/);
  // The walkthrough came along, and goes on.
  await newcomer.click(page.locator('.tab', { hasText: /Welcome|Walkthrough/ }));
  const done = page.locator('.codicon-getting-started-step-checked');
  await page.locator('.getting-started-step').filter({ has: done, hasText: 'Try what' }).waitFor();
  newcomer.report('demo');
});

test('own data: a table with columns of its own names', { timeout: TIMEOUT_MS }, async () => {
  const folder = await tempFolder();
  await writeFile(path.join(folder, 'tickets.csv'), await tickets(60));
  const editor = await openEditor({ folder, settings: NEW_SETTINGS, trusted: false });
  const newcomer = new Newcomer(editor);
  const { page } = editor;
  await newcomer.trust();
  await newcomer.click(page.locator('.activitybar .action-label[aria-label="LoRA-FA"]'));
  await newcomer.click(newcomer.button('New Run Configuration'));
  await newcomer.click(newcomer.row('The base model of the demo'));
  await newcomer.click(newcomer.row('tickets.csv'));
  await newcomer.click(newcomer.row('Learn “reply” from “ticket”'));
  await page.locator('.quick-input-title', { hasText: 'name (4/4)' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.tab.active[data-resource-name="tickets.lorafa.json"]').waitFor();
  const answer = await newcomer.trainAndAsk('tickets', SENTENCE);
  expect(answer.length).toBeGreaterThan(0);
  newcomer.report('own data');
});

/** What a spreadsheet saves where the comma is a decimal point. */
async function tickets(count: number): Promise<string> {
  const lines = (await readFile('media/demo/data/train.jsonl', 'utf8')).split('\n').slice(0, count);
  const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const rows = lines.map((line) => {
    const { prompt, completion } = JSON.parse(line) as { prompt: string; completion: string };
    return `${cell(prompt.split('\n')[0]!)};${cell(completion)}`;
  });
  return `ticket;reply\n${rows.join('\n')}\n`;
}
