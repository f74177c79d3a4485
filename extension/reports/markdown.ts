/** Text that Markdown shows as it is, in a table too. */
export function asText(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>|#&]/g, '\\$&').replaceAll(/\s*\n\s*/g, ' ');
}

/** A table of two columns. */
export function markdownTable(
  [left, right]: readonly [string, string],
  rows: readonly (readonly [string, string])[],
): string {
  return [
    `| ${left} | ${right} |`,
    '|---|---|',
    ...rows.map(([name, value]) => `| ${asText(name)} | ${asText(value)} |`),
  ].join('\n');
}
