import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { openEditor } from './editor/editor.ts';
import { LanguageModelProbe } from './editor/language-model-probe.ts';

/** Until the demo's run has ended, on a busy machine. */
const RUN_MS = 300_000;

const PROMPT = 'Milo is 70 years old and lives in Toulouse.\nJSON: ';

test('the walkthrough leads from nothing to an adapter that can be tried', {
  timeout: 2 * RUN_MS,
}, async () => {
  const folder = await tempFolder();
  const probe = await LanguageModelProbe.write(await tempFolder(), PROMPT);
  const editor = await openEditor({ folder, otherExtension: probe.folder });
  const { page } = editor;
  await editor.runCommand('Welcome: Open Walkthrough...');
  await page.locator('.monaco-list-row', { hasText: 'Fine-tune your first model' }).click();
  const steps = page.locator('.getting-started-step');
  await steps.filter({ hasText: 'Get the demo' }).waitFor();
  await expect.poll(() => steps.count()).toBe(5);
  // The pictures beside the steps need some width.
  await editor.runCommand('View: Toggle Primary Side Bar Visibility');
  await editor.screenshot('walkthrough');

  // A command that came to nothing ticks nothing.
  await editor.runCommand('LoRA-FA: New Run Configuration');
  await page.locator('.quick-input-title', { hasText: 'New run configuration' }).waitFor();
  await page.keyboard.press('Escape');
  expect(await ticked(steps)).toEqual([]);

  await page
    .locator('.getting-started-step a, .getting-started-step .monaco-button', {
      hasText: 'Open the Demo',
    })
    .click();
  await page.locator('.tab.active[data-resource-name="demo.lorafa.json"]').waitFor();
  const config = await readFile(path.join(folder, 'lorafa-demo/demo.lorafa.json'), 'utf8');
  expect(config).toContain('"output_dir": "runs/demo"');
  expect(config).toContain('//');

  await editor.runCommand('LoRA-FA: Start Run');
  const panel = await editor.webviewFrame('demo');
  await panel.locator('.state[data-state="completed"]').waitFor({ timeout: RUN_MS });

  await editor.runCommand('LoRA-FA: Test Adapter');
  const frame = await editor.webviewFrame('Playground');
  await frame.getByLabel('Prompt', { exact: true }).fill(PROMPT);
  await frame.getByRole('button', { name: 'Generate' }).click();
  const adapter = frame.getByRole('region', { name: 'With the adapter' });
  await adapter.getByText(/tokens\/s/).waitFor();
  const base = frame.getByRole('region', { name: 'Base model' });
  await base.getByText(/tokens\/s/).waitFor();
  const answer = await adapter.locator('pre').textContent();
  expect(answer).toMatch(/^\{"name": "\w+", "age": \d+, "city": "\w+"\}$/);
  expect(await base.locator('pre').textContent()).not.toContain('{');
  await editor.examine('playground', frame);

  await page.locator('.tab', { hasText: /Welcome|Walkthrough/ }).click();
  await expect
    .poll(() => ticked(steps))
    .toEqual([
      'Get the demo',
      'Look at the data and start the run',
      'Watch it learn',
      'Try what it learned',
    ]);

  // What was run tells how long the like of it takes.
  await editor.runCommand('LoRA-FA: Estimate Memory and Steps');
  const report = await editor.webviewFrame('Preview Estimate of demo.lorafa.json');
  await report.getByText(/It will train for about .*as fast as the run demo/).waitFor();

  // The same adapter, as other extensions get at it.
  const { models, promptTokens, parts } = await probe.ask(editor);
  expect(models).toEqual(['demo']);
  expect(promptTokens).toBeGreaterThan(10);
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.join('')).toBe(answer);
});

/** Titles of the steps that are done. */
function ticked(steps: Locator): Promise<readonly string[]> {
  return steps
    .filter({ has: steps.page().locator('.codicon-getting-started-step-checked') })
    .locator('.step-title')
    .allInnerTexts();
}
