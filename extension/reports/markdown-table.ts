import { asMarkdown } from '../show/markup.ts';

/** A table of two columns. */
export function markdownTable(
  [left, right]: readonly [string, string],
  rows: readonly (readonly [string, string])[],
): string {
  return [
    `| ${left} | ${right} |`,
    '|---|---|',
    ...rows.map(([name, value]) => `| ${asMarkdown(name)} | ${asMarkdown(value)} |`),
  ].join('\n');
}
