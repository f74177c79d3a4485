import path from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { expect, test, vi } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { type Editor, openEditor } from './editor/editor.ts';
import { HostileFolder } from './editor/hostile-folder.ts';
import { OTHER_COMMAND, writeOtherExtension } from './editor/other-extension.ts';

/** What would be there if a text were taken for more. */
const LIVE = 'a[href], a[data-href], img, iframe, object, .codicon-alert';
const TIMEOUT = { timeout: 300_000 };

interface OpenHostile {
  readonly hostile: HostileFolder;
  readonly editor: Editor;
}

async function openHostile(): Promise<OpenHostile> {
  const hostile = await HostileFolder.create();
  const editor = await openEditor({ folder: hostile.folder });
  return { hostile, editor };
}

/** The text is all there, and text. */
async function expectText(place: Locator): Promise<void> {
  await place.first().waitFor();
  await expect.poll(async () => (await place.allTextContents()).join('\n')).toContain('[click]');
  expect((await place.allTextContents()).join('\n')).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
  expect(await place.locator(LIVE).count()).toBe(0);
}

/** Clicks on everything in some places, wherever in them a link would be. */
async function clickAll(places: Locator): Promise<void> {
  await places.evaluateAll(`(places) => {
    for (const place of places) {
      for (const part of [place, ...place.querySelectorAll('*')]) part.click();
    }
  }`);
}

/** Nothing has run or was asked for, and nothing waits in a terminal. */
async function expectNothing({ editor, hostile }: OpenHostile): Promise<void> {
  expect(await editor.page.locator('.terminal-wrapper, .terminal-tab').count()).toBe(0);
  expect(hostile.hasRun).toBe(false);
  expect(hostile.requests).toEqual([]);
}

test('as VS Code takes it, the text is a link that runs a program', TIMEOUT, async () => {
  const hostile = await HostileFolder.create();
  const message = JSON.stringify(`It says ${hostile.text}`);
  const script = `vscode.window.showErrorMessage(${message})`;
  const otherExtension = await writeOtherExtension(await tempFolder(), script);
  const editor = await openEditor({ folder: hostile.folder, otherExtension });
  const { page } = editor;
  await editor.runCommand(OTHER_COMMAND);
  await page.locator('.notification-list-item a', { hasText: 'click' }).click();
  await hostile.waitForRun();
});

test('messages, problems and the form quote files as text', TIMEOUT, async () => {
  const open = await openHostile();
  const { editor } = open;
  const { page } = editor;

  // A value of somebody's adapter, in the sentence that refuses it.
  await editor.openFile('adapted.lorafa.json');
  await editor.runCommand('LoRA-FA: Start Run');
  const message = page.locator('.notification-list-item-message', { hasText: 'use_dora' });
  await expectText(message);
  await clickAll(message);
  await editor.screenshot('hostile-message');
  await editor.runCommand('Notifications: Clear All Notifications');

  await editor.openFile('misnamed.lorafa.json');
  await page.locator('.squiggly-error').first().waitFor();
  await editor.runCommand('Problems: Focus on Problems View');
  const problems = page.locator('.markers-panel .monaco-list-row', { hasText: '[click]' });
  await expectText(problems);
  await editor.runCommand('LoRA-FA: Start Run');
  const refusal = page.locator('.notification-list-item-message', {
    hasText: 'misnamed.lorafa.json',
  });
  await expectText(refusal);
  await clickAll(refusal);
  await editor.runCommand('LoRA-FA: Open as Form');
  const form = await vi.waitUntil(() => pageTitled(editor, 'misnamed.lorafa.json'), POLL);
  await expectText(form.locator('li.problem'));
  await expectNothing(open);
});

test('views, lists and pages show names and journals as text', TIMEOUT, async () => {
  const open = await openHostile();
  const { editor, hostile } = open;
  const { page } = editor;
  await editor.openActivity('LoRA-FA');
  for (const view of ['Adapters', 'Base Models']) {
    await page.locator('.pane-header', { hasText: view }).click();
  }
  const rows = page.locator('.sidebar .monaco-list-row', { hasText: '[click]' });
  await expect.poll(() => rows.count()).toBeGreaterThanOrEqual(3);
  await expectText(rows.locator('.label-name'));
  // The reason of its failure is in the tooltip.
  const runs = page.locator('.sidebar .pane', { hasText: 'Runs' });
  const failed = runs.locator('.monaco-list-row', { hasText: /^failedloss/ });
  for (const row of [...(await rows.all()), failed]) await expectText(await tooltipOf(editor, row));

  await editor.runCommand('LoRA-FA: Compare Runs');
  await expectText(page.locator('.quick-input-list .monaco-list-row', { hasText: '[click]' }));
  await page.keyboard.press('Escape');
  await editor.runCommand('LoRA-FA: Export Adapter…');
  await expectText(page.locator('.quick-input-list .monaco-list-row', { hasText: '[click]' }));
  await page.keyboard.press('Escape');

  await rows.first().click();
  const panel = await vi.waitUntil(() => pageTitled(editor, '[click]'), POLL);
  await panel.getByRole('tab', { name: 'Samples' }).click();
  await expectText(panel.locator('.samples'));
  await editor.screenshot('hostile-run');
  await panel.getByRole('tab', { name: 'Log' }).click();
  await expectText(panel.locator('.log'));
  await clickAll(panel.locator('.log-line, .samples'));

  // VS Code reads the names of models as Markdown whose links run commands.
  await editor.runCommand('Chat: Manage Language Models');
  const model = page.locator('.models-widget .monaco-list-row', { hasText: 'click' }).first();
  const hover = await tooltipOf(editor, model);
  expect(await hover.locator(LIVE).count()).toBe(0);
  await editor.screenshot('hostile-chat-model');
  await expectNothing(open);
  expect(hostile.hasRun).toBe(false);
});

test('rows of data are shown token by token, and do nothing', TIMEOUT, async () => {
  const open = await openHostile();
  const { editor } = open;
  await editor.openFile('rows.lorafa.json');
  await editor.runCommand('LoRA-FA: Preview Training Data');
  const preview = await editor.webviewFrame('Data: rows.lorafa.json');
  const rows = preview.locator('.rows');
  await expect.poll(() => rows.textContent()).toContain('<img·src=');
  const shown = await rows.textContent();
  for (const text of ['<script·src=', '[click](command:', TURNED_BYTES, '␛]0;title␇']) {
    expect(shown).toContain(text);
  }
  expect(await preview.locator('body').locator(LIVE).count()).toBe(0);
  await clickAll(rows.locator('.segment'));
  await editor.screenshot('hostile-rows');

  await editor.runCommand('LoRA-FA: Test Adapter');
  const playground = await editor.webviewFrame('Playground');
  await playground.locator('option', { hasText: '[click]' }).first().waitFor({ state: 'attached' });
  await playground.getByLabel('Prompt', { exact: true }).fill('<img src="x" onerror="alert(1)">');
  await playground.getByText('Sampling').click();
  await playground.getByLabel('Most new tokens').fill('24');
  await playground.getByRole('button', { name: 'Generate' }).click();
  await playground
    .getByText(/tokens\/s/)
    .first()
    .waitFor();
  expect(await playground.locator('body').locator(LIVE).count()).toBe(0);
  await expectNothing(open);
});

test('in Restricted Mode nothing is started, read or written', TIMEOUT, async () => {
  const hostile = await HostileFolder.create();
  const before = await hostile.state();
  const configFile = JSON.stringify(path.join(hostile.folder, 'outside.lorafa.json'));
  // Menus do not offer these commands; another extension, or a link, can ask for them all the same.
  const script = `
    const uri = vscode.Uri.file(${configFile});
    const ids = (await vscode.commands.getCommands(true)).filter((id) =>
      /^lorafa\\.\\w+$/.test(id) && !/openAs/i.test(id));
    for (const id of ids) for (const arg of [undefined, uri, uri.fsPath]) {
      const end = vscode.commands.executeCommand(id, arg).then(undefined, () => undefined);
      await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 150))]);
    }
    // VS Code shows no toast for the fourth message within 800 ms (its protection from spam).
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    vscode.window.showInformationMessage('All of ' + ids.length + ' commands were asked for.');`;
  const otherExtension = await writeOtherExtension(await tempFolder(), script);
  const { folder } = hostile;
  const editor = await openEditor({ folder, trusted: false, otherExtension });
  const { page } = editor;
  await editor.waitForStatusBar('Restricted Mode');
  await editor.openFile('outside.lorafa.json');
  await editor.openActivity('LoRA-FA');
  await page.locator('.welcome-view-content').first().waitFor();
  await editor.runCommand(OTHER_COMMAND);
  const done = page.locator('.notification-list-item', { hasText: /All of \d\d commands/ });
  // Each of them is given its time.
  await done.waitFor({ timeout: 180_000 });
  await editor.screenshot('hostile-restricted');
  await editor.openFile('misnamed.lorafa.json');
  await editor.runCommand('LoRA-FA: Open as Form');
  const form = await vi.waitUntil(() => pageTitled(editor, 'misnamed.lorafa.json'), POLL);
  await form.getByText('Restricted Mode: this folder is not trusted').waitFor();
  // A message that waits for its answer already would not be shown again.
  await editor.runCommand('Notifications: Clear All Notifications');
  await editor.runCommand('LoRA-FA: Start Run');
  await page.getByText('LoRA-FA starts nothing in a folder that is not trusted').first().waitFor();
  await editor.reload();
  await editor.waitForStatusBar('Restricted Mode');

  for (const program of PROGRAMS) expect(await editor.processesOf(program)).toEqual([]);
  expect(await hostile.state()).toEqual(before);
  await expectNothing({ editor, hostile });
});

/** The right-to-left override as the tokens of a model that reads bytes. */
const TURNED_BYTES = '<0xE2><0x80><0xAE>';

/** Every program of the extension. */
const PROGRAMS = [
  ...['language-server.js', 'inspector.js', 'generator.js', 'cli.js'],
  ...['trainer.js', 'trainer-compute.js', 'probe-device.js'],
];

/** Points at something until its tooltip is there. */
async function tooltipOf({ page }: Editor, place: Locator): Promise<Locator> {
  const tooltip = page.locator('.monaco-hover:visible', { hasText: 'click' }).last();
  await vi.waitFor(async () => {
    await page.mouse.move(0, 0);
    await place.hover({ position: { x: 100, y: 10 } });
    await tooltip.waitFor({ timeout: 3_000 });
  }, POLL);
  return tooltip;
}

const POLL = { timeout: 30_000, interval: 200 };

/** VS Code gives the frames of custom editors no title, but the pages have one. */
async function pageTitled({ page }: Editor, title: string): Promise<Frame | undefined> {
  for (const frame of page.frames()) {
    const found = await frame.title().catch(() => '');
    if (found.includes(title) && (await frame.locator('main').isVisible())) return frame;
  }
  return undefined;
}
