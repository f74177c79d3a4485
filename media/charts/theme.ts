/** Colours of curves, in the order in which they are given out; names of VS Code's theme colours. */
export const CURVE_COLORS = [
  'charts-blue',
  'charts-orange',
  'charts-green',
  'charts-purple',
  'charts-red',
  'charts-yellow',
] as const;

/** A colour of the theme that VS Code shows now, e.g. `editor-foreground`. */
export function themeColor(name: string): string {
  return getComputedStyle(document.body).getPropertyValue(`--vscode-${name}`).trim() || 'GrayText';
}

/** Calls `handler` after every change of the theme. */
export function onThemeChange(handler: () => void): void {
  new MutationObserver(handler).observe(document.body, {
    attributes: true,
    attributeFilter: ['class', 'data-vscode-theme-id'],
  });
}
