/** How many characters of a text from outside each place shows at most. */
export const LIMITS = {
  /** A notification; VS Code itself drops what comes after 1000. */
  message: 900,
  /** One line of a list, of the status bar, a tab's title. */
  label: 200,
  tooltip: 2_000,
  logEntry: 20_000,
} as const;
