import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import { field, formOf } from './editor/config-form.ts';
import {
  demoFolder,
  PATIENCE_MS,
  RUNS_TIMEOUT_MS,
  runPanel,
  waitForState,
} from './editor/demo-runs.ts';
import { type Editor, openEditor } from './editor/editor.ts';

const FILE = 'first.lorafa.json';
/** As VS Code is when it is new: run configurations open as forms. */
const AS_FORM = { 'workbench.editorAssociations': {} };

/** A folder with the demo's model and data and a configuration that is over in a moment. */
async function folderWith(training: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const folder = await demoFolder();
  const config = `{
  // Learns to answer in JSON.
  "model": { "base_model_name_or_path": "base" },
  "data": { "dataset_name_or_path": "data/train.jsonl[:8]", "max_length": 128 },
  "lora": {
    "r": 16, // more is slower
    "lora_alpha": 32
  },
  "training": ${JSON.stringify({ output_dir: 'runs/first', max_steps: 1, ...training })},
  "engine": { "device": "cpu", "intra_op_num_threads": 1 }
}
`;
  await writeFile(path.join(folder, FILE), config);
  return folder;
}

async function openForm(folder: string): Promise<{ editor: Editor; form: Frame }> {
  const editor = await openEditor({
    folder,
    settings: { ...AS_FORM, 'lorafa.runs.whenBusy': 'queue' },
  });
  await editor.openFile(FILE);
  const form = await formOf(editor, FILE);
  await expect.poll(() => inputOf(form, 'lora.r').inputValue()).toBe('16');
  return { editor, form };
}

function inputOf(form: Frame, key: string) {
  return field(form, key).locator('input').first();
}

/** Ways to start what a form shows, by turns. */
const STARTS: readonly ((editor: Editor, form: Frame) => Promise<void>)[] = [
  (_editor, form) => form.getByRole('button', { name: 'Start Run' }).click(),
  ({ page }) => page.locator('.editor-actions [aria-label^="Start Run"]').first().click(),
  (editor) => editor.runCommand('LoRA-FA: Start Run'),
];

test('a run is started as it is on the screen, however fast one is', {
  timeout: RUNS_TIMEOUT_MS,
}, async () => {
  const folder = await folderWith();
  const { editor, form } = await openForm(folder);
  const { page } = editor;
  for (let attempt = 0; attempt < 10; attempt++) {
    await page.locator(`.tab[data-resource-name="${FILE}"]`).click();
    const shown = await formOf(editor, FILE);
    await inputOf(shown, 'training.output_dir').fill(`runs/attempt-${attempt}`);
    // Typed, not settled: the field still has the focus.
    await inputOf(shown, 'lora.r').fill(String(20 + attempt));
    await STARTS[attempt % STARTS.length]!(editor, shown);
    const record = path.join(folder, 'runs', `attempt-${attempt}`, 'run.json');
    await vi.waitFor(
      async () => {
        const { config } = JSON.parse(await readFile(record, 'utf8')) as {
          config: { lora: { r: number } };
        };
        expect(config.lora.r).toBe(20 + attempt);
      },
      { timeout: PATIENCE_MS, interval: 200 },
    );
  }
  expect(form).toBeDefined();

  // Saving too takes what is typed.
  await page.locator(`.tab[data-resource-name="${FILE}"]`).click();
  const last = await formOf(editor, FILE);
  await inputOf(last, 'lora.r').fill('99');
  await page.keyboard.press('Control+S');
  await expect
    .poll(() => readFile(path.join(folder, FILE), 'utf8'), { timeout: PATIENCE_MS })
    .toContain('"r": 99, // more is slower');
});

test('a configuration with a known error is never started, and shows where it is', async () => {
  const folder = await folderWith();
  const { editor, form } = await openForm(folder);
  const { page } = editor;
  const summary = form.locator('.problem-summary');
  await expect.poll(() => summary.isVisible()).toBe(false);
  const start = form.getByRole('button', { name: 'Start Run' });

  // An emptied list of names is what the text says, and is refused.
  const modules = field(form, 'lora.target_modules');
  await modules.locator('vscode-single-select').click();
  await modules.locator('[role="option"]', { hasText: 'List of names' }).click();
  await modules.locator('textarea').fill('q_proj\nv_proj');
  await modules.locator('.clear').waitFor();
  await modules.locator('textarea').fill('');
  await start.click();
  const refusal = page.locator('.notification-list-item', { hasText: 'was not started' });
  await refusal.filter({ hasText: 'lora.target_modules' }).waitFor();
  await summary.locator('.place', { hasText: 'lora.target_modules' }).waitFor();
  await form.locator('.obstacle', { hasText: '1 error keeps it from starting' }).waitFor();
  expect(await readFile(path.join(folder, FILE), 'utf8')).toContain('"target_modules": []');
  await modules.locator('textarea:focus').waitFor();
  await expect(readFile(path.join(folder, 'runs', 'first', 'state.json'))).rejects.toThrow(
    'ENOENT',
  );

  // The same from elsewhere, with another error that only the files know.
  await modules.locator('textarea').fill('q_porj');
  await editor.runCommand('LoRA-FA: Start Run');
  await page.locator('.notification-list-item', { hasText: 'q_porj' }).waitFor();
  await summary.locator('.fix', { hasText: 'Change to "q_proj"' }).click();
  await expect.poll(() => modules.locator('textarea').inputValue()).toBe('q_proj');
  await summary.waitFor({ state: 'hidden' });

  // A link of the summary, and a click in the Problems view, lead to the field.
  await inputOf(form, 'training.learning_rate').fill('-1');
  await inputOf(form, 'training.seed').fill('x');
  // What is no number yet is written when the field is left.
  await page.keyboard.press('Tab');
  await summary.locator('.place', { hasText: 'training.seed' }).click();
  await field(form, 'training.seed').locator('input:focus').waitFor();
  await editor.runCommand('Problems: Focus on Problems View');
  const rows = page.locator('.markers-panel .monaco-list-row');
  await rows.filter({ hasText: 'training.learning_rate' }).click();
  await field(form, 'training.learning_rate').and(form.locator('.revealed')).waitFor();
  await rows.filter({ hasText: 'training.seed' }).click();
  await field(form, 'training.seed').and(form.locator('.revealed')).waitFor();
});

test('where a run is in the way, what can be done is offered, and works', {
  timeout: RUNS_TIMEOUT_MS,
}, async () => {
  const folder = await folderWith();
  const { editor, form } = await openForm(folder);
  const { page } = editor;
  const start = form.getByRole('button', { name: 'Start Run' });
  const text = (): Promise<string> => readFile(path.join(folder, FILE), 'utf8');
  await start.click();
  await waitForState(await runPanel(editor, 'first'), 'Completed');

  // It is said before the click.
  await page.locator(`.tab[data-resource-name="${FILE}"]`).click();
  let current = await formOf(editor, FILE);
  const output = () => field(current, 'training.output_dir');
  await output().locator('.problem', { hasText: 'holds a finished run' }).waitFor();
  await output().locator('.fix', { hasText: 'Train further as first-2' }).waitFor();

  // The question of the start.
  await inputOf(current, 'lora.r').fill('8');
  await current.getByRole('button', { name: 'Start Run' }).click();
  const choices = page.locator('.quick-input-widget .monaco-list-row');
  await choices.filter({ hasText: 'Start as first-2' }).waitFor();
  await editor.screenshot('start-again');
  await choices.filter({ hasText: 'Start as first-2' }).click();
  await waitForState(await runPanel(editor, 'first-2'), 'Completed');
  expect(await text()).toContain('"output_dir":"runs/first-2"');
  expect(await text()).toContain('"r": 8, // more is slower');

  // Further from its adapter, by the fix in the form.
  await page.locator(`.tab[data-resource-name="${FILE}"]`).click();
  current = await formOf(editor, FILE);
  await output().locator('.fix', { hasText: 'Train further as first-3' }).click();
  await waitForState(await runPanel(editor, 'first-3'), 'Completed');
  expect(await text()).toContain('"init_adapter": "runs/first-2"');
  expect(await text()).not.toContain('"r": 8');

  // In its place, after a question.
  await page.locator(`.tab[data-resource-name="${FILE}"]`).click();
  current = await formOf(editor, FILE);
  const before = await readFile(path.join(folder, 'runs/first-3/run.json'), 'utf8');
  await output().locator('.fix', { hasText: 'Replace it' }).click();
  const dialog = page.locator('.monaco-dialog-box');
  await dialog.filter({ hasText: 'Delete the run first-3' }).waitFor();
  await dialog.getByRole('button', { name: 'Delete and Start' }).click();
  await vi.waitFor(
    async () =>
      expect(await readFile(path.join(folder, 'runs/first-3/run.json'), 'utf8')).not.toBe(before),
    { timeout: PATIENCE_MS, interval: 200 },
  );
});

test('a way that was offered is gone by the text as it is then, after crashes of the server too', {
  timeout: RUNS_TIMEOUT_MS,
}, async () => {
  const folder = await folderWith();
  const file = path.join(folder, FILE);
  const editor = await openEditor({ folder, settings: { 'lorafa.runs.whenBusy': 'queue' } });
  const { page } = editor;
  await editor.openFile(FILE);
  await editor.runCommand('LoRA-FA: Start Run');
  await waitForState(await runPanel(editor, 'first'), 'Completed');
  const tab = page.locator(`.tab[data-resource-name="${FILE}"]`);
  await tab.click();

  // VS Code's library gives a server up that crashes so often, and says so; but it starts when it is needed.
  const gaveUp = page.locator('.notification-list-item', { hasText: 'starts again when it is' });
  await vi.waitFor(
    async () => {
      for (const id of await editor.processesOf('language-server.js')) process.kill(id, 'SIGKILL');
      expect(await gaveUp.count()).toBe(1);
    },
    { timeout: PATIENCE_MS, interval: 2000 },
  );
  const libraryWords = page.locator('.notification-list-item', { hasText: 'not be restarted' });
  expect(await libraryWords.count()).toBe(0);
  await editor.runCommand('LoRA-FA: Start Run');
  const choice = page.locator('.quick-input-widget .monaco-list-row', {
    hasText: 'Start as first-2',
  });
  await choice.waitFor();
  const text = await readFile(file, 'utf8');
  await writeFile(file, `// one\n// two\n${text}`);
  await page.locator('.view-lines', { hasText: '// two' }).waitFor();
  await choice.click();
  await waitForState(await runPanel(editor, 'first-2'), 'Completed');
  expect(await readFile(file, 'utf8')).toBe(
    `// one\n// two\n${text.replace('runs/first', 'runs/first-2')}`,
  );
});
