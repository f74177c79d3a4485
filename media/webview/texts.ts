/** Reads the words that the extension put into the page, in the user's language. */
export function readTexts<Texts extends Readonly<Record<string, string>>>(): Texts {
  return JSON.parse(document.body.dataset['texts'] ?? '{}') as Texts;
}

/** Puts values into a text: `{0}`, `{1}`, … stand for them. */
export function fill(text: string, ...values: readonly (string | number)[]): string {
  return text.replaceAll(/\{(\d+)\}/g, (place, index: string) =>
    String(values[Number(index)] ?? place),
  );
}
