/** Colours of curves, in the order in which they are given out; names of VS Code's theme colours. */
export const CURVE_COLORS = [
  'charts-blue',
  'charts-orange',
  'charts-green',
  'charts-purple',
  'charts-red',
  'charts-yellow',
] as const;

/** What stands for a colour of charts that a theme, such as high contrast, does not define. */
const TERMINAL_COLORS: Readonly<Record<string, string>> = {
  'charts-blue': 'terminal-ansiBrightBlue',
  'charts-orange': 'terminal-ansiYellow',
  'charts-green': 'terminal-ansiGreen',
  'charts-purple': 'terminal-ansiMagenta',
  'charts-red': 'terminal-ansiRed',
  'charts-yellow': 'terminal-ansiBrightYellow',
};

/** A colour of VS Code's theme for a style, e.g. `editor-foreground`. */
export function cssColor(name: string): string {
  const fallback = TERMINAL_COLORS[name] ?? 'foreground';
  return `var(--vscode-${name}, var(--vscode-${fallback}))`;
}

/** The same as it is now, for a canvas, which knows no variables. */
export function themeColor(name: string): string {
  const style = getComputedStyle(document.body);
  const value = (key: string): string => style.getPropertyValue(`--vscode-${key}`).trim();
  return value(name) || value(TERMINAL_COLORS[name] ?? 'foreground') || 'GrayText';
}

/** Calls `handler` after every change of the theme. */
export function onThemeChange(handler: () => void): void {
  new MutationObserver(handler).observe(document.body, {
    attributes: true,
    attributeFilter: ['class', 'data-vscode-theme-id'],
  });
}
