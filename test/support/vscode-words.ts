/** The part of the `vscode` module that puts values into words, as without any translation. */
export const l10n = {
  t: (message: string, ...values: readonly (string | number)[]): string =>
    message.replaceAll(/\{(\d+)\}/g, (_place, index: string) => String(values[Number(index)])),
};
