import { access, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import { parseConfig } from '../../engine/config/parse.ts';
import { writeRunRecord } from '../../engine/train/run-record.ts';
import { startedEvent, stepEvent } from '../support/journal-events.ts';
import { storeState } from '../support/state-file.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { type Editor, openEditor } from './editor/editor.ts';

/** A run that was done some time ago, as it lies on disk. */
interface PastRun {
  readonly name: string;
  readonly loss: number;
  readonly end: 'completed' | 'failed';
  readonly learningRate?: number;
}

const PAST: readonly PastRun[] = [
  { name: 'alpha', loss: 0.9, end: 'completed' },
  { name: 'beta', loss: 0.3, end: 'completed', learningRate: 0.01 },
  { name: 'gamma', loss: 0.6, end: 'failed' },
];

/** Writes the folder of a run, without weights. */
async function writeRun(folder: string, { name, loss, end }: PastRun): Promise<void> {
  const run = path.join(folder, 'runs', name);
  await mkdir(run, { recursive: true });
  const evaluation = { step: 9, epoch: 1, eval_loss: loss + 0.1, eval_perplexity: 2 };
  const result = { adapter_dir: run, steps: 9, train_loss: loss, train_runtime: 60 };
  const entries: readonly object[] = [
    startedEvent(),
    ...(end === 'failed'
      ? [{ type: 'warning', message: `2 rows are cut (${folder}/data/rows.jsonl:1).` }]
      : []),
    ...Array.from({ length: 9 }, (_, index) =>
      stepEvent({ step: index + 1, loss: loss + (8 - index) / 10 }),
    ),
    { type: 'eval', ...evaluation, eval_runtime: 1 },
    end === 'completed'
      ? { type: 'completed', ...result }
      : { type: 'failed', code: 'data.corrupt', message: `${folder}/data/rows.jsonl is damaged.` },
  ];
  const lines = entries.map((entry, minute) => {
    const time = new Date(Date.UTC(2026, 0, 1, 10, minute)).toISOString();
    return JSON.stringify({ time, ...entry });
  });
  await writeFile(path.join(run, 'events.jsonl'), `${lines.join('\n')}\n`);
  const configFile = path.join(folder, `${name}.lorafa.json`);
  const config = parseConfig(configTo(`runs/${name}`), configFile);
  await writeRunRecord(run, { config, lineage: [{ session: 'first', from: 0 }] });
}

/** A configuration whose runs go to a folder. */
function configTo(output: string): string {
  const config = {
    model: { base_model_name_or_path: 'base' },
    data: { dataset_name_or_path: 'rows.jsonl' },
    training: { output_dir: output },
  };
  return JSON.stringify(config, null, 2);
}

async function pastRuns(): Promise<string> {
  const folder = path.join(await tempFolder(), 'experiments');
  for (const run of PAST) await writeRun(folder, run);
  return folder;
}

const rowsOf = (page: Page): Locator =>
  page.locator('[id="workbench.view.extension.lorafa"] .monaco-list-row[aria-level]');

async function namesIn(page: Page): Promise<readonly string[]> {
  return rowsOf(page).locator('.label-name').allInnerTexts();
}

/** A window that shows past runs. */
async function openRuns() {
  const folder = await pastRuns();
  const editor = await openEditor({ folder });
  await editor.openActivity('LoRA-FA');
  const row = (name: string): Locator => rowsOf(editor.page).filter({ hasText: name });
  return { folder, editor, row };
}

async function answer(editor: Editor, text: string): Promise<void> {
  const input = editor.page.locator('.quick-input-widget input[type="text"]');
  await input.waitFor();
  await input.fill(text);
  await input.press('Enter');
  await input.waitFor({ state: 'hidden' });
}

test('runs are sorted, filtered, tagged, renamed and deleted, and follow the disk', {
  timeout: 180_000,
}, async () => {
  const { folder, editor, row } = await openRuns();
  const { page } = editor;
  const choices = page.locator('.quick-input-widget .monaco-list-row');
  await row('beta')
    .filter({ hasText: /loss 0\.300 · eval 0\.400 · .* · 11 min/ })
    .waitFor();

  await editor.runCommand('LoRA-FA: Sort Runs By…');
  await choices.filter({ hasText: 'Loss, lowest first' }).first().click();
  await expect.poll(() => namesIn(page)).toEqual(['beta', 'gamma', 'alpha']);

  await row('alpha').click();
  await editor.webviewFrame('alpha');
  await row('beta').click();
  await editor.webviewFrame('beta');
  expect(await page.locator('.tabs-container .tab').count()).toBe(1);
  await editor.runCommand('LoRA-FA: Keep This Run Panel');
  await row('gamma').click();
  const failed = await editor.webviewFrame('gamma');
  await expect.poll(() => page.locator('.tabs-container .tab').count()).toBe(2);
  // Paths of the workspace begin at its folder.
  await failed.locator('.reason', { hasText: 'data/rows.jsonl is damaged.' }).waitFor();
  expect(await failed.locator('.reason').first().innerText()).not.toContain(folder);
  await failed.getByText('2 rows are cut (data/rows.jsonl:1).', { exact: true }).waitFor();

  await row('beta').click();
  await editor.runCommand('LoRA-FA: Edit Tags…');
  await answer(editor, 'good, #baseline');
  await row('beta').filter({ hasText: '#good · #baseline' }).waitFor();
  await editor.runCommand('LoRA-FA: Edit Note…');
  await answer(editor, 'with the larger rate');
  const facts = (await editor.webviewFrame('beta')).locator('.facts');
  await facts.getByText('#good #baseline').waitFor();
  await facts.getByText('with the larger rate').waitFor();
  await editor.runCommand('LoRA-FA: Filter Runs…');
  await answer(editor, '#good larger');
  await expect.poll(() => namesIn(page)).toEqual(['beta']);
  await page.locator('.pane-header .description', { hasText: '1 of 3: #good larger' }).waitFor();
  await editor.runCommand('LoRA-FA: Filter Runs…');
  await answer(editor, '');
  await expect.poll(() => namesIn(page)).toEqual(['beta', 'gamma', 'alpha']);

  // By keyboard, on what is selected.
  await row('beta').click();
  await page.keyboard.press('F2');
  await answer(editor, 'best');
  await row('best').waitFor();
  await row('beta').waitFor({ state: 'detached' });
  await editor.webviewFrame('best');
  expect(JSON.parse(await readFile(path.join(folder, 'runs/best/notes.json'), 'utf8'))).toEqual({
    version: 1,
    notes: { text: 'with the larger rate', tags: ['good', 'baseline'] },
  });

  // A tab that nobody has looked at since a reload is not opened beside itself.
  await editor.reload();
  await editor.webviewFrame('best');
  await row('gamma').click();
  await editor.webviewFrame('gamma');
  await expect.poll(() => page.locator('.tabs-container .tab').count()).toBe(2);

  // What others do on disk shows by itself.
  await cp(path.join(folder, 'runs/alpha'), path.join(folder, 'runs/copy'), { recursive: true });
  await row('copy').waitFor();
  await rename(path.join(folder, 'runs/copy'), path.join(folder, 'runs/moved'));
  await row('moved').waitFor();
  await row('copy').waitFor({ state: 'detached' });
  await rm(path.join(folder, 'runs/moved'), { recursive: true });
  await row('moved').waitFor({ state: 'detached' });

  // A key is for the row where one is, and for those that are selected with it.
  await row('gamma').click();
  await page.keyboard.press('ArrowUp');
  await row('best').and(page.locator('.focused:not(.selected)')).waitFor();
  await page.keyboard.press('Delete');
  const single = page.locator('.monaco-dialog-box', { hasText: 'Delete the run best in' });
  await single.getByRole('button', { name: 'Cancel' }).click();
  await single.waitFor({ state: 'detached' });

  // Several at once; what is not the runs' stays.
  await writeFile(path.join(folder, 'runs/gamma/mine.txt'), 'x');
  await row('gamma').click();
  await row('alpha').click({ modifiers: ['Control'] });
  await page.keyboard.press('Delete');
  const dialog = page.locator('.monaco-dialog-box', { hasText: 'Delete 2 runs?' });
  await dialog
    .getByText(/gamma, alpha\.\s*Result.*checkpoints \(0\).*KiB.*trash.*stays: mine\.txt/s)
    .waitFor();
  await editor.screenshot('delete-runs');
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  const forGood = page.locator('.monaco-dialog-box', { hasText: 'Delete 2 runs for good?' });
  await forGood.getByRole('button', { name: 'Delete for Good' }).click();
  await expect.poll(() => namesIn(page)).toEqual(['best']);
  await access(path.join(folder, 'runs/gamma/mine.txt'));
  await expect(access(path.join(folder, 'runs/alpha'))).rejects.toThrow('ENOENT');
});

test('selected runs are compared with all that came of them, and written as a table', {
  timeout: 120_000,
}, async () => {
  const { folder, editor, row } = await openRuns();
  const { page } = editor;
  await row('alpha').click({ modifiers: ['Control'] });
  await row('beta').click({ modifiers: ['Control'] });
  await editor.takeFromMenu(row('beta'), 'Compare Runs');
  const comparison = await editor.webviewFrame('Compare Runs');
  await comparison.getByRole('row', { name: /^Loss 0\.900 0\.300$/ }).waitFor();
  await comparison
    .getByRole('row', { name: /^Evaluation loss 1\.000 0\.400 \(lowest\)$/ })
    .waitFor();
  await comparison
    .getByRole('row', { name: 'training.output_dir "runs/alpha" "runs/beta"', exact: true })
    .waitFor();
  const best = /beta.*lowest evaluation loss/;
  await comparison.getByRole('columnheader', { name: best }).waitFor();
  await comparison.locator('.chart-readout', { hasText: best }).first().waitFor();
  await comparison.getByRole('button', { name: 'Export as CSV…' }).click();
  const place = page.locator('.quick-input-widget input[type="text"]');
  const exported = async (proposed: string): Promise<string> => {
    await expect.poll(() => place.inputValue()).toMatch(new RegExp(`${proposed}$`));
    await page.locator('.quick-input-widget .monaco-list-row').first().waitFor();
    const file = path.join(folder, `exported-${proposed}`);
    await place.fill(file);
    await place.press('Enter');
    return vi.waitUntil(() => readFile(file, 'utf8').catch(() => ''), { timeout: 20_000 });
  };
  expect(await exported('runs.csv')).toMatch(
    /^run,folder,state,started,seconds,step,loss,eval_loss,.*\r\nalpha,.*,completed,.*,660,9,0\.9,1,/,
  );

  // A run that is deleted meanwhile takes its column with it.
  await rm(path.join(folder, 'runs/beta'), { recursive: true });
  await comparison.getByText('Not there any more: beta').waitFor();
  await comparison.getByRole('row', { name: /^Evaluation loss 1\.000$/ }).waitFor();
  await comparison.getByRole('columnheader', { name: 'beta' }).waitFor({ state: 'detached' });

  await row('alpha').click();
  const panel = await editor.webviewFrame('alpha');
  await panel.getByRole('button', { name: 'Export Metrics as CSV…' }).click();
  expect(await exported('alpha.csv')).toMatch(
    /^step,time,epoch,loss,.*\r\n(?:.*\r\n)*9,[^,]+,[\d.]+,0\.9,/,
  );
});

test('runs are grouped, revealed and copied, and followed wherever they and their models lie', {
  timeout: 180_000,
}, async () => {
  const root = await tempFolder();
  const [folder, outside] = [path.join(root, 'experiments'), path.join(root, 'elsewhere')];
  for (const run of PAST) await writeRun(folder, run);
  const configFile = path.join(folder, 'rates.lorafa.json');
  await writeFile(configFile, configTo('../elsewhere/rates'));
  for (const name of ['alpha', 'beta']) {
    await storeState(path.join(folder, 'runs', name), '2026-01-01T10:11:00.000Z', { configFile });
  }
  await cp(path.join(folder, 'runs/gamma'), path.join(outside, 'rates'), { recursive: true });
  const editor = await openEditor({ folder });
  const { page } = editor;
  const row = (name: string): Locator => rowsOf(page).filter({ hasText: name });
  await editor.openActivity('LoRA-FA');
  await row('rates').waitFor();

  await editor.runCommand('LoRA-FA: Group Runs by Configuration');
  await row('rates').filter({ hasText: '2 runs' }).waitFor();
  await row('Without a known configuration').filter({ hasText: '2 runs' }).waitFor();
  await editor.screenshot('runs-grouped');
  await editor.runCommand('LoRA-FA: Group Runs by Configuration');
  await row('Without a known configuration').waitFor({ state: 'detached' });

  // The folder of runs that a configuration of the workspace has outside of it is watched too.
  await rm(path.join(outside, 'rates'), { recursive: true });
  await row('rates').waitFor({ state: 'detached' });

  await editor.takeFromMenu(row('beta'), 'Duplicate and Edit Configuration');
  await page.locator('.tab.active[data-resource-name="rates-2.lorafa.json"]').waitFor();
  expect(await readFile(path.join(folder, 'rates-2.lorafa.json'), 'utf8')).toBe(
    configTo('../elsewhere/rates-2'),
  );
  await editor.takeFromMenu(row('beta'), 'Open Configuration of Run');
  await page.locator('.tab.active[data-resource-name="rates.lorafa.json"]').waitFor();

  const models = page.locator('.sidebar .pane', { hasText: 'Base Models' });
  await models.locator('.pane-header').click();
  await cp('media/demo/base', path.join(folder, 'llama'), { recursive: true });
  await models.locator('.monaco-list-row', { hasText: 'llama' }).waitFor();
  await rm(path.join(folder, 'llama'), { recursive: true });
  await models.locator('.monaco-list-row', { hasText: 'llama' }).waitFor({ state: 'detached' });

  await editor.takeFromMenu(row('beta'), 'Reveal Run Folder');
  await page
    .locator('.explorer-folders-view .monaco-list-row.selected', { hasText: 'beta' })
    .waitFor();
});

test('a thousand runs are there at once', { timeout: 180_000 }, async () => {
  const folder = path.join(await tempFolder(), 'many');
  for (let number = 0; number < 1000; number += 1) {
    const name = `run-${String(number).padStart(4, '0')}`;
    await writeRun(folder, { name, loss: 1 + number / 1000, end: 'completed' });
  }
  const editor = await openEditor({ folder });
  const start = performance.now();
  await editor.openActivity('LoRA-FA');
  await rowsOf(editor.page).first().waitFor();
  console.log(`1000 runs after ${Math.round(performance.now() - start)} ms`);
  await editor.runCommand('LoRA-FA: Filter Runs…');
  await answer(editor, 'run-0777');
  await expect.poll(() => namesIn(editor.page)).toEqual(['run-0777']);
});
