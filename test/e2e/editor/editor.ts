import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Frame, Locator, Page } from 'playwright-core';
import { expect, inject, onTestFinished, vi } from 'vitest';
import { endProcesses, markedProcesses, runsProgram } from '../../support/marked-processes.ts';
import { accessibilityProblems } from './accessibility.ts';
import { startBrowser } from './browser.ts';
import { startCodeServer } from './code-server-process.ts';
import { cutOff } from './cut-off.ts';
import { QUIET_SETTINGS } from './editor-settings.ts';
import { keepEvidence } from './evidence.ts';
import { extensionsBeside } from './extensions-folder.ts';
import { prepareThemes, showTheme, THEMES, type Theme } from './themes.ts';

/** How {@link openEditor} opens VS Code. */
export interface EditorOptions {
  /** The folder to open; without one the window is empty. */
  readonly folder?: string;
  /** User settings on top of the quiet ones. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** False: VS Code asks whether it should trust the folder. Default: it trusts it. */
  readonly trusted?: boolean;
  /** Folder of another extension, to be installed beside this one. */
  readonly otherExtension?: string;
}

/** How long a test waits for something to appear: the machine may be busy. */
const PATIENCE_MS = 30_000;
/** Sizes of the window, in pixels of its pages: pages 300 wide, and a small screen at 150 %. */
const NARROW = {
  narrow: { width: 352, height: 800 },
  zoomed: { width: 853, height: 533 },
} as const;
/** Pictures that people look at, under version control. */
const SCREENSHOTS = path.resolve('test', 'e2e', 'screenshots');

/**
 * Opens a VS Code window with this extension for the running test and closes it when the test ends.
 * After a failure the window's last picture and log lie in the cache folder.
 */
export async function openEditor(options: EditorOptions): Promise<Editor> {
  const userDataDir = await mkdtemp(path.join(os.tmpdir(), 'lorafa-editor-'));
  onTestFinished(() => rm(userDataDir, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(path.join(userDataDir, 'User'));
  await writeFile(
    path.join(userDataDir, 'User', 'settings.json'),
    JSON.stringify({ ...QUIET_SETTINGS, ...options.settings }),
  );
  const { codeServer, extensionsDir } = inject('bench');
  const { otherExtension } = options;
  const server = await startCodeServer(codeServer, {
    ...(options.folder !== undefined && { folder: options.folder }),
    userDataDir,
    extensionsDir:
      otherExtension === undefined
        ? extensionsDir
        : await extensionsBeside(
            extensionsDir,
            otherExtension,
            path.join(userDataDir, 'extensions'),
          ),
    asksForTrust: options.trusted === false,
  });
  onTestFinished(async () => {
    await server.stop();
    // Runs go on without a window, but not without a test.
    await endProcesses(userDataDir);
  });
  const browser = await startBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(PATIENCE_MS);
  const editor = new Editor(page, userDataDir);
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') await keepEvidence(task.name, page, userDataDir);
  });
  await prepareThemes(page);
  await page.goto(options.folder === undefined ? `${server.url}?ew=true` : server.url);
  await editor.ready();
  return editor;
}

/** One VS Code window, operated as a person would: by what is on the screen. */
export class Editor {
  /** For what the methods below do not cover. */
  readonly page: Page;
  readonly #userDataDir: string;

  constructor(page: Page, userDataDir: string) {
    this.page = page;
    this.#userDataDir = userDataDir;
  }

  /** The folder of all logs, those of processes among them. */
  get logs(): string {
    return path.join(this.#userDataDir, 'logs');
  }

  /** Waits until the workbench is there. */
  async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor();
    await this.page
      .locator('.monaco-workbench .explorer-folders-view, .part.editor')
      .first()
      .waitFor();
  }

  /** Runs a command by its full title in the palette, e.g. "LoRA-FA: Show Logs". */
  async runCommand(title: string): Promise<void> {
    await this.pick('F1', `>${title}`, title);
  }

  /** Opens a file of the workspace by its path. */
  async openFile(file: string): Promise<void> {
    await this.pick('Control+P', file, path.basename(file));
    await this.page.locator(`.tab.active[data-resource-name="${path.basename(file)}"]`).waitFor();
  }

  /** Opens a container of the activity bar, e.g. "LoRA-FA". */
  async openActivity(title: string): Promise<void> {
    // Behind the name there may be what a number at the icon counts, which lies above it.
    const label = this.page.locator(`.activitybar .action-label[aria-label^="${title}"]`);
    await label.click({ force: true });
    await this.page.locator('.sidebar .title-label', { hasText: title }).waitFor();
  }

  /**
   * Puts the cursor of the active text editor somewhere, which has the focus then; both count from
   * 1. Tried again when something that opens late closed the quick input, or took the focus.
   */
  async goTo(line: number, column: number): Promise<void> {
    const timeout = PATIENCE_MS / 10;
    await vi.waitFor(
      async () => {
        await this.page.keyboard.press('Control+G');
        await this.quickInput.fill(`:${line}:${column}`, { timeout });
        // By the input itself: a key that came after it was closed would be typed into the text.
        await this.quickInput.press('Enter', { timeout });
        await this.page.locator('.monaco-editor.focused').waitFor({ timeout });
      },
      { timeout: PATIENCE_MS },
    );
    await this.waitForStatusBar(`Ln ${line}, Col ${column}`);
  }

  /** Ids of the processes of this window that run this program, e.g. `language-server.js`. */
  async processesOf(program: string): Promise<readonly number[]> {
    const processes = await markedProcesses(this.#userDataDir);
    return processes.filter((one) => runsProgram(one, program)).map(({ pid }) => pid);
  }

  /** Takes an item of the context menu of something that is on the screen. */
  async takeFromMenu(
    target: Locator,
    item: string,
    position?: { readonly x: number; readonly y: number },
  ): Promise<void> {
    const menu = this.page.locator('.context-view .monaco-menu');
    const timeout = PATIENCE_MS / 10;
    await vi.waitFor(
      async () => {
        try {
          await target.click({ button: 'right', timeout, ...(position && { position }) });
          // For a moment after it has opened a menu does not hear that the button is let go.
          await menu.getByText(item, { exact: true }).click({ timeout, delay: 300 });
          await menu.waitFor({ state: 'hidden', timeout });
        } catch (error) {
          // What extensions add to a menu comes a little later.
          await this.page.keyboard.press('Escape');
          throw error;
        }
      },
      { timeout: 2 * PATIENCE_MS },
    );
  }

  /** Waits for an item of the status bar that shows the text. */
  async waitForStatusBar(text: string | RegExp): Promise<Locator> {
    const item = this.page.locator('.part.statusbar .statusbar-item', { hasText: text }).first();
    await item.waitFor();
    return item;
  }

  /** The content of the open webview (panel, custom editor or view) with this title. */
  async webviewFrame(title: string): Promise<Frame> {
    return vi.waitUntil(() => this.findWebview(title), { timeout: PATIENCE_MS, interval: 100 });
  }

  /** Reloads the window as a person does: VS Code stores its state first (a crash does not). */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.runCommand('Developer: Reload Window');
    await loaded;
    await this.ready();
  }

  /** Writes `test/e2e/screenshots/NAME-light.png` and `NAME-dark.png`, or others, as the window is now. */
  async screenshot(name: string, themes: readonly Theme[] = ['light', 'dark']): Promise<void> {
    for (const theme of themes) await this.#picture(name, theme);
  }

  /**
   * Writes pictures in high contrast too, has axe examine a page of the window in all themes, and
   * looks whether nothing of it is cut off where it is narrow.
   *
   * @param states what brings the page into each state that is to be examined; default: as it is
   */
  async examine(
    name: string,
    frame: Frame,
    states: readonly (() => Promise<unknown>)[] = [async () => undefined],
  ): Promise<void> {
    const problems: Partial<Record<Theme, readonly string[]>> = {};
    for (const theme of THEMES) {
      await this.#picture(name, theme);
      const found = new Set<string>();
      for (const enter of states) {
        await enter();
        for (const problem of await accessibilityProblems(frame)) found.add(problem);
      }
      problems[theme] = [...found];
    }
    await showTheme(this.page, 'light');
    expect(problems).toEqual(Object.fromEntries(THEMES.map((theme) => [theme, []])));
    await this.#fits(name, frame, states);
  }

  async #fits(
    name: string,
    frame: Frame,
    states: readonly (() => Promise<unknown>)[],
  ): Promise<void> {
    const { page } = this;
    const wide = page.viewportSize()!;
    const hasSideBar = await page.locator('.part.sidebar').isVisible();
    if (hasSideBar) await this.runCommand('View: Toggle Primary Side Bar Visibility');
    for (const [size, viewport] of Object.entries(NARROW)) {
      await page.setViewportSize(viewport);
      await expect.poll(() => frame.evaluate<number>('innerWidth')).toBeLessThan(viewport.width);
      for (const enter of states) {
        await enter();
        await expect.poll(() => cutOff(frame), { message: `${name}, ${size}` }).toEqual([]);
      }
      await page.screenshot({ path: path.join(SCREENSHOTS, `${name}-${size}.png`) });
    }
    await page.setViewportSize(wide);
    if (hasSideBar) await this.runCommand('View: Toggle Primary Side Bar Visibility');
  }

  async #picture(name: string, theme: Theme): Promise<void> {
    await showTheme(this.page, theme);
    await this.page.screenshot({
      path: path.join(SCREENSHOTS, `${name}-${theme}.png`),
      animations: 'disabled',
      caret: 'hide',
    });
  }

  /**
   * Types into the quick input that a key opens, and takes the row with this label. It is tried
   * again when the row is not there yet (extensions are still being read), or when something that
   * opens late took the focus, which closes the quick input.
   */
  private async pick(key: string, text: string, label: string): Promise<void> {
    // All of the label: "Resume" is no "Resume from Checkpoint…".
    const row = this.page.locator('.quick-input-widget .monaco-list-row', {
      has: this.page.getByText(label, { exact: true }),
    });
    const timeout = PATIENCE_MS / 10;
    await vi.waitFor(
      async () => {
        await this.page.keyboard.press(key);
        await this.quickInput.fill(text, { timeout });
        await row
          .first()
          .click({ timeout })
          .catch(async (error: unknown) => {
            // An open list is not made anew by the same text.
            await this.page.keyboard.press('Escape');
            throw error;
          });
      },
      { timeout: PATIENCE_MS },
    );
  }

  private get quickInput(): Locator {
    return this.page.locator('.quick-input-widget input[type="text"]');
  }

  private async findWebview(title: string): Promise<Frame | undefined> {
    for (const frame of this.page.frames()) {
      if (frame.parentFrame() === null) continue;
      // A frame may go while it is looked at.
      const element = await frame.frameElement().catch(() => undefined);
      const shown = await element?.getAttribute('title').catch(() => undefined);
      if (shown === title) return frame;
    }
    return undefined;
  }
}
