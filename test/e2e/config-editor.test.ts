import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { field, formOf, formsOf } from './editor/config-form.ts';
import { demoFolder } from './editor/demo-runs.ts';
import { type Editor, openEditor } from './editor/editor.ts';

const FILE = 'first.lorafa.json';
const CONFIG = `// Learns to answer as the support team does.
{
  "model": { "base_model_name_or_path": "base" },
  "data": {
    "dataset_name_or_path": "train.jsonl" // the rows of last year
  },
  "lora": {
    "r": 16, // more is slower
    "target_modules": ["q_proj", "v_proj"],
    "rank_pattern": { "down_proj": 32 }
  },
  "training": {
    "output_dir": "runs/first",
    "learning_rate": 1e-4
  }
}
`;

interface OpenForm {
  readonly editor: Editor;
  readonly form: Frame;
  /** The text of the file, which is saved first. */
  saved(): Promise<string>;
}

async function openForm(text = CONFIG): Promise<OpenForm> {
  const folder = path.join(await tempFolder(), 'support-bot');
  await mkdir(folder);
  const file = path.join(folder, FILE);
  await writeFile(file, text);
  // As VS Code is when it is new: run configurations open as forms.
  const editor = await openEditor({ folder, settings: { 'workbench.editorAssociations': {} } });
  await editor.openFile(FILE);
  return {
    editor,
    form: await formOf(editor, FILE),
    saved: async () => {
      await editor.runCommand('File: Save');
      await editor.page.locator('.tab.active:not(.dirty)').waitFor();
      // VS Code empties a file before it writes it.
      return vi.waitUntil(() => readFile(file, 'utf8'));
    },
  };
}

test('a sound configuration is a form without a problem', async () => {
  const run = { name: 'first', maxSteps: 60, learningRate: 5e-3, accumulation: 1, kept: 2 };
  const folder = await demoFolder(run);
  const file = path.join(folder, FILE);
  const sound = await readFile(file, 'utf8');
  await writeFile(file, sound.replace('"r": 32', '"r": 0'));
  const editor = await openEditor({ folder, settings: { 'workbench.editorAssociations': {} } });
  await editor.openFile(FILE);
  const form = await formOf(editor, FILE);
  const obstacle = form.locator('.obstacle');
  await obstacle.waitFor();
  // It goes when the text that is sound has been looked at.
  await writeFile(file, sound);
  await obstacle.waitFor({ state: 'hidden' });
  // There is a choice of columns when the data have been, too.
  await field(form, 'data.prompt_column').locator('vscode-single-select').waitFor();
  await editor.screenshot('config-editor');
});

test('what is changed in the form is changed in the text, comments stay, and undo works', async () => {
  const { editor, form, saved } = await openForm();
  const { page } = editor;

  const rank = field(form, 'lora.r');
  await expect.poll(() => inputOf(form, 'lora.r')).toBe('16');
  await rank.locator('input').fill('64');
  await page.locator('.tab.active.dirty').waitFor();
  const seed = field(form, 'training.seed');
  await seed.locator('input[placeholder="42"]').waitFor();
  await seed.locator('input').fill('7');
  await field(form, 'lora.use_rslora').locator('vscode-checkbox').click();
  await field(form, 'training.lr_scheduler_type').locator('vscode-single-select').click();
  await form.locator('[role="option"]', { hasText: 'constant_with_warmup' }).click();
  const targets = field(form, 'training.report_to').locator('vscode-checkbox');
  await targets.filter({ hasText: 'mlflow' }).click();
  await field(form, 'training.report_to').locator('.clear').waitFor();
  await targets.filter({ hasText: 'tensorboard' }).click();
  await field(form, 'lora.target_modules').locator('textarea').fill('q_proj\nv_proj\no_proj');
  await field(form, 'lora.rank_pattern').locator('input').last().fill('8');
  await field(form, 'engine.device').locator('vscode-single-select').click();
  await field(form, 'engine.device').locator('[role="option"]', { hasText: 'Other' }).click();
  await field(form, 'engine.device').locator('input').fill('cuda:1');
  await field(form, 'engine.device').locator('.clear').waitFor();
  await field(form, 'training.learning_rate').locator('.clear').click();
  await field(form, 'training.learning_rate').locator('.clear').waitFor({ state: 'hidden' });

  const edited = CONFIG.replace('16', '64')
    .replace('"v_proj"]', '"v_proj", "o_proj"]')
    .replace('{ "down_proj": 32 }', '{ "down_proj": 8 },\n    "use_rslora": true')
    .replace(
      '"learning_rate": 1e-4',
      '"seed": 7,\n    "lr_scheduler_type": "constant_with_warmup",\n    "report_to": ["tensorboard", "mlflow"]',
    )
    .replace(/\n\}\n$/, ',\n  "engine": {\n    "device": "cuda:1"\n  }\n}\n');
  expect(await saved()).toBe(edited);

  // Each change is one step of VS Code's own history, also while the form has the focus.
  await rank.locator('input').click();
  await page.keyboard.press('Control+Z');
  await expect.poll(() => inputOf(form, 'training.learning_rate')).toBe('0.0001');
  // The name of the device, and before it the choice to give one.
  await page.keyboard.press('Control+Z');
  await page.keyboard.press('Control+Z');
  await field(form, 'engine.device').locator('.clear').waitFor({ state: 'hidden' });
  await page.keyboard.press('Control+Shift+Z');
  await page.keyboard.press('Control+Shift+Z');
  await page.keyboard.press('Control+Shift+Z');
  await expect.poll(() => inputOf(form, 'training.learning_rate')).toBe('');
  expect(await saved()).toBe(edited);
});

test('what is changed in the text is changed in the form beside it', async () => {
  const { editor, form } = await openForm();
  const { page } = editor;
  await editor.runCommand('View: Split Editor Right');
  // The command that follows is for the form that is new: it must be there, and have the focus.
  const groups = page.locator('.editor-group-container');
  await groups.nth(1).and(page.locator('.active')).waitFor();
  await expect.poll(async () => (await formsOf(editor, FILE)).length).toBe(2);
  await editor.runCommand('LoRA-FA: Open as Text');
  await groups.nth(1).locator('.view-line', { hasText: '"learning_rate"' }).waitFor();
  await editor.goTo(8, 10);
  await page.keyboard.press('Delete');
  await page.keyboard.press('Delete');
  await page.keyboard.type('99');
  await expect.poll(() => inputOf(form, 'lora.r')).toBe('99');

  // The form keeps focus and cursor while the text changes under it.
  const input = field(form, 'training.output_dir').locator('input');
  await input.click();
  await input.press('Home');
  await page.keyboard.type('old-');
  await page.locator('.view-line', { hasText: '"old-runs/first"' }).waitFor();
  await page.keyboard.type('er-');
  await page.locator('.view-line', { hasText: '"old-er-runs/first"' }).waitFor();
  await editor.screenshot('config-editor-beside-text');

  // A text that is broken is shown as such, and the form leaves it alone.
  await page.locator('.monaco-editor .view-line').first().click();
  await editor.goTo(8, 12);
  await page.keyboard.type('{');
  const banner = form.locator('.banner:not(.restricted)');
  await banner.filter({ hasText: 'not valid JSON at line 8' }).waitFor();
  await field(form, 'lora.r').locator('input:disabled').waitFor();
  await editor.screenshot('config-editor-broken-text');
  await page.keyboard.press('Backspace');
  await banner.waitFor({ state: 'hidden' });
});

test('problems stand at their fields, and the page comes back as it was left', async () => {
  const { editor, form } = await openForm(CONFIG.replace('"r": 16', '"rr": 5, "r": 0'));
  await field(form, 'lora.r').locator('.problem', { hasText: 'at least 1' }).waitFor();
  await form.locator('[data-section="lora"] > .problems', { hasText: 'lora.rr' }).waitFor();
  const dataSection = form.locator('[data-section="data"] > summary');
  await dataSection.click();
  await dataSection.filter({ hasText: 'Problems: 1' }).waitFor();
  await field(form, 'lora.r').scrollIntoViewIfNeeded();
  await editor.examine('config-editor-problems', form);

  await field(form, 'lora.r').locator('input').fill('8');
  await field(form, 'lora.r').locator('.problem').waitFor({ state: 'hidden' });

  await form.locator('.search input').fill('rank pattern');
  await form.locator('.matches', { hasText: 'match' }).waitFor();
  await field(form, 'training.seed').waitFor({ state: 'hidden' });
  await editor.reload();
  const restored = await formOf(editor, FILE);
  await expect.poll(() => restored.locator('.search input').inputValue()).toBe('rank pattern');
  await restored.locator('.search input').fill('');
  await field(restored, 'lora.r').waitFor();
  await restored.locator('[data-section="data"]:not([open])').waitFor();

  await editor.runCommand('LoRA-FA: Open as Text');
  await editor.page.locator('.view-line', { hasText: '"rr": 5' }).waitFor();
  await editor.runCommand('LoRA-FA: Open as Form');
  await formOf(editor, FILE);
});

/** The text of the first input of a field. */
function inputOf(form: Frame, key: string): Promise<string> {
  return field(form, key).locator('input').first().inputValue();
}
