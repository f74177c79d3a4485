/**
 * What each of VS Code's renderers takes for markup, made text again. What no renderer should be
 * given (controls, text without end) is taken care of by `server/plain-text.ts`.
 */

/**
 * For notifications and the quick input, which turn `[label](command:id)` into a link that runs a
 * command, and know no way to escape it: without its neighbour a bracket is a bracket.
 */
export function withoutLinks(text: string): string {
  return text.replaceAll('](', '] (');
}

/** For Markdown, in a table too; web and mail addresses stay text as well. */
export function asMarkdown(text: string): string {
  return text
    .replaceAll(/[\\`*_[\]<>|#&~$@]|\/(?=\/)|(?<=\bwww)\./gi, '\\$&')
    .replaceAll(/\s*\n\s*/g, ' ');
}

/**
 * For what is shown as text in one place and as Markdown in another, so that nothing can be escaped:
 * what is markup in any of them becomes a dot.
 */
export function withoutMarkup(text: string): string {
  return text.replaceAll(/[^\p{L}\p{M}\p{N} ._,+=/-]/gu, '·').replaceAll(/\bwww\./gi, 'www·');
}
