import type { Frame, Locator, Page } from 'playwright-core';
import { vi } from 'vitest';
import type { Editor } from './editor.ts';

/** How long something may take on a busy machine. */
const RUN_MS = 300_000;

/** Settings of somebody who has just installed VS Code, on top of those of tests. */
export const NEW_SETTINGS: Readonly<Record<string, unknown>> = {
  'workbench.startupEditor': 'welcomePage',
  'workbench.editorAssociations': {},
};

/** Somebody who clicks only what there is to be seen; what it took is counted. */
export class Newcomer {
  readonly editor: Editor;
  readonly page: Page;
  clicks = 0;
  readonly #began = performance.now();

  constructor(editor: Editor) {
    this.editor = editor;
    this.page = editor.page;
  }

  async click(target: Locator): Promise<void> {
    await target.click();
    this.clicks += 1;
  }

  /** A button of VS Code itself: of a dialog, a welcome view, the walkthrough, a notification. */
  button(name: string, exact = true): Locator {
    const named = { name, exact };
    return this.page.getByRole('button', named).or(this.page.getByRole('link', named)).first();
  }

  /** A row of an open quick pick. */
  row(text: string | RegExp): Locator {
    return this.page.locator('.quick-input-widget .monaco-list-row', { hasText: text }).first();
  }

  /** Trusts the folder, by the banner above everything. */
  async trust(): Promise<void> {
    await this.click(this.page.locator('.part.banner a', { hasText: 'Manage' }));
    const sheet = this.page.locator('.workspace-trust-editor');
    const trust = sheet.getByRole('button', { name: 'Trust', exact: true });
    const trusted = sheet.filter({ hasText: 'You trust this folder' });
    // The sheet is drawn anew while extensions start.
    await vi.waitFor(
      async () => {
        if (!(await trusted.isVisible())) await trust.click({ timeout: 2_000 });
        await trusted.waitFor({ timeout: 2_000 });
      },
      { timeout: 60_000 },
    );
    this.clicks += 1;
    await vi.waitFor(
      async () => {
        await sheet.press('Escape', { timeout: 2_000 });
        await sheet.waitFor({ state: 'hidden', timeout: 2_000 });
      },
      { timeout: 60_000 },
    );
  }

  /** From a configuration that is open as a form to the first answer of what it trains. */
  async trainAndAsk(name: string, prompt: string): Promise<string> {
    await this.click(
      this.page.locator('.editor-actions').getByRole('button', { name: 'Start Run' }),
    );
    const panel = await this.editor.webviewFrame(name);
    await panel.locator('.state[data-state="completed"]').waitFor({ timeout: RUN_MS });
    await this.click(panel.getByRole('button', { name: /^Test/ }).first());
    return this.ask(await this.editor.webviewFrame('Playground'), prompt);
  }

  async ask(playground: Frame, prompt: string): Promise<string> {
    const box = playground.getByLabel('Prompt', { exact: true });
    await box.waitFor();
    if ((await box.inputValue()) === '') await box.fill(prompt);
    await this.click(playground.getByRole('button', { name: 'Generate' }));
    const adapter = playground.getByRole('region', { name: 'With the adapter' });
    await adapter.getByText(/tokens\/s/).waitFor();
    return (await adapter.locator('pre').textContent()) ?? '';
  }

  /** Prints what it took; nobody is judged by it. */
  report(journey: string): void {
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(0);
    console.log(`New to first tuned answer, ${journey}: ${this.clicks} clicks, ${seconds} s`);
  }
}
