import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { type Editor, openEditor } from './editor/editor.ts';

const ROWS = 40;

/** A line of its own for each value, and comments between them that must outlive every change. */
const GOOD = `{
  // Learns to answer in JSON.
  "model": { "base_model_name_or_path": "base" },
  "data": { "dataset_name_or_path": "rows.jsonl" },
  "lora": {
    "r": 8,
    // Attention alone: the rest stays as it is.
    "target_modules": ["q_proj", "v_proj"]
  },
  "training": {
    "output_dir": "runs/first",
    "learning_rate": 1e-4, // small, as the base is
    "num_train_epochs": 2,
    "per_device_train_batch_size": 4
  }
}
`;
const MISTAKEN = GOOD.replace('"v_proj"', '"v_porj"').replace('"learning_rate"', '"learning_rte"');

/** Opens a configuration beside the demo's base model and a few of its rows. */
async function openConfig(text: string): Promise<{ editor: Editor; file: string }> {
  const folder = await tempFolder();
  await cp('media/demo/base', path.join(folder, 'base'), { recursive: true });
  const rows = (await readFile('media/demo/data/train.jsonl', 'utf8')).split('\n').slice(0, ROWS);
  await writeFile(path.join(folder, 'rows.jsonl'), `${rows.join('\n')}\n`);
  const file = path.join(folder, 'first.lorafa.json');
  await writeFile(file, text);
  const editor = await openEditor({ folder });
  await editor.openFile('first.lorafa.json');
  return { editor, file };
}

/** The line of the text editor that shows all of this. */
function lineWith(editor: Editor, ...texts: readonly string[]): Locator {
  return texts.reduce(
    (lines, hasText) => lines.filter({ hasText }),
    editor.page.locator('.view-line'),
  );
}

/**
 * Applies a quick fix of the problem at a place from the list that a key opens there. The list
 * closes by itself when problems are reported anew meanwhile: then it is opened again.
 */
async function fixAt(editor: Editor, line: number, column: number, title: string): Promise<void> {
  const fixes = editor.page.locator('.action-widget .monaco-list-row');
  await vi.waitFor(
    async () => {
      await editor.page.keyboard.press('Escape');
      await editor.goTo(line, column);
      await editor.page.keyboard.press('Control+.');
      await fixes.filter({ hasText: title }).first().click({ timeout: 4_000 });
    },
    { timeout: 30_000 },
  );
}

test('mistakes are named and mended by quick fixes, which leave comments alone', async () => {
  const { editor, file } = await openConfig(MISTAKEN);
  const { page } = editor;
  await editor.runCommand('Problems: Focus on Problems View');
  const problems = page.locator('.markers-panel .monaco-list-row');
  const misspelt = problems.filter({ hasText: 'did you mean `training.learning_rate`?' });
  const matchless = problems.filter({ hasText: '"v_porj"' });
  await misspelt.waitFor();
  await matchless.waitFor();
  await editor.screenshot('config-fixes');

  await fixAt(editor, 12, 8, 'Rename to `learning_rate`');
  await lineWith(editor, '"learning_rate": 1e-4, // small').waitFor();
  await misspelt.waitFor({ state: 'detached' });
  await fixAt(editor, 8, 36, 'Change to "v_proj"');
  await matchless.waitFor({ state: 'detached' });
  await page.locator('.markers-panel', { hasText: 'No problems have been detected' }).waitFor();
  await expect.poll(() => page.locator('.squiggly-error').count()).toBe(0);

  await page.keyboard.press('Control+S');
  await expect.poll(() => readFile(file, 'utf8'), { timeout: 30_000 }).toBe(GOOD);
});

test('what a configuration comes to stands in it, and its estimate is a click away', async () => {
  const { editor } = await openConfig(GOOD);
  const { page } = editor;
  const lens = page.locator('.codelens-decoration a');
  await lens.filter({ hasText: 'Start run' }).waitFor();
  await lens.filter({ hasText: 'Preview data' }).waitFor();
  await lineWith(editor, '"r": 8,', '4,608 trainable (0.66%)').waitFor();
  await lineWith(editor, '"num_train_epochs": 2,', '10 steps per epoch, 20 in all').waitFor();
  await lineWith(editor, 'batch_size": 4', 'MiB at peak').waitFor();
  await editor.screenshot('config-lenses');

  await lens.filter({ hasText: 'Estimate' }).click();
  const report = await editor.webviewFrame('Preview Estimate of first.lorafa.json');
  await report.getByText('The run fits into memory').waitFor();
  await report.getByRole('row', { name: 'Optimizer steps 20' }).waitFor();
  await report.getByRole('row', { name: `Rows ${ROWS}` }).waitFor();
  // How long it takes is not known before something like it was run.
  await report.getByText('is not known yet').waitFor();
  await page.getByRole('button', { name: 'Time a Few Steps' }).click();
  await report.getByText(/It will train for about .*measured here with \d+ steps/).waitFor();
  await page.locator('.notification-list-item').waitFor({ state: 'detached' });
  await editor.screenshot('estimate');
});
