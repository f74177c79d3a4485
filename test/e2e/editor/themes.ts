import type { Frame, Page } from 'playwright-core';

/** The kinds of themes that VS Code has, by the names that its webviews know them by. */
export const THEMES = ['light', 'dark', 'high-contrast-light', 'high-contrast'] as const;

/** See {@link THEMES}. */
export type Theme = (typeof THEMES)[number];

/** By what the workbench shows that it has a theme: a class. */
const WORKBENCH: Readonly<Record<Theme, string>> = {
  light: 'vs',
  dark: 'vs-dark',
  'high-contrast-light': 'hc-light',
  'high-contrast': 'hc-black',
};

/**
 * Prepares a page that is not loaded yet for {@link showTheme}. VS Code takes the system's wish for
 * contrast from the query for forced colours. If the browser itself were told of that wish it would
 * also paint the page over in a few colours, which is not what high contrast themes look like.
 */
export async function prepareThemes(page: Page): Promise<void> {
  await page.addInitScript(`
    if (window === window.top) {
      const matchMedia = window.matchMedia.bind(window);
      const contrast = Object.assign(new EventTarget(), { matches: false });
      window.matchMedia = (query) =>
        query === '(forced-colors: active)' ? contrast : matchMedia(query);
      window.preferContrast = (matches) => {
        contrast.matches = matches;
        contrast.dispatchEvent(new Event('change'));
      };
    }
  `);
}

/** Shows a theme, and waits until the workbench and all of its webviews have it. */
export async function showTheme(page: Page, theme: Theme): Promise<void> {
  const isLight = theme === 'light' || theme === 'high-contrast-light';
  await page.emulateMedia({ colorScheme: isLight ? 'light' : 'dark' });
  await page.evaluate(`window.preferContrast(${theme.startsWith('high-contrast')})`);
  await page.locator(`.monaco-workbench.${WORKBENCH[theme]}`).waitFor();
  for (const frame of page.frames()) await hasTheme(frame, theme);
}

/** Waits until a page, if it is one of a webview, has the theme's colours. */
async function hasTheme(frame: Frame, theme: Theme): Promise<void> {
  try {
    if ((await frame.locator('body[data-vscode-theme-kind]').count()) === 0) return;
    const body = frame.locator(`body[data-vscode-theme-kind="vscode-${theme}"]`);
    await body.waitFor({ state: 'attached' });
  } catch (error) {
    // Some pages are made anew for another theme.
    if (!frame.isDetached()) throw error;
  }
}
