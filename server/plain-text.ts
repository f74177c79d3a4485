import { shortened } from '../engine/quote.ts';

/**
 * Text from outside the program (files, names of files, what other programs print) for whoever shows
 * it. Nothing in it may steer what shows it or hide from the reader, in a terminal, a log, a page or
 * the editor alike; what one renderer alone reads as markup is escaped where that renderer is called
 * (`extension/show/`).
 */

/**
 * Characters that have no shape of their own: controls, formatting (bidirectional overrides, marks
 * and isolates, zero-width ones, tags), separators of lines and paragraphs, halves of pairs. Not line
 * feeds and tabs, nor joiners that do their work: in emoji, and in scripts whose letters change by them.
 */
const SHAPELESS =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}](?<![\n\t]|[^\0-\u024F\p{Cf}][\u200C\u200D](?=[^\0-\u024F\p{Cf}]))/gu;

/** Shows what has no shape by its escape, as JavaScript writes it: `\u202e`. */
export function visible(text: string): string {
  return text.replaceAll(SHAPELESS, (character) => {
    const code = character.codePointAt(0)!;
    return code > 0xff_ff ? `\\u{${code.toString(16)}}` : escapedUnit(code);
  });
}

/** Several lines of plain text, of at most `most` characters. */
export function plainLines(text: string, most: number): string {
  // Shortened before as well: what is thrown away is not worth the work.
  return shortened(visible(shortened(text, most).replaceAll('\r\n', '\n')), most);
}

/** One line of plain text, of at most `most` characters; a sign stands where a line ended. */
export function plainLine(text: string, most: number): string {
  const line = shortened(text, most).trim();
  return plainLines(line.replaceAll(/\s*[\r\n]\s*/g, ' ⏎ ').replaceAll('\t', ' '), most);
}

/** For the editor's labels in which `$(name)` is an icon, by VS Code's own escape. */
export function withoutIcons(text: string): string {
  return text.replaceAll(/\$\([\w-]+(~\w+)?\)/g, '\\$&');
}

/** JSON on one line, the same value to a program, and without effect on a terminal. */
export function plainJson(value: unknown): string {
  // Outside of strings JSON has none of these characters, and in strings it reads the escape alike.
  return JSON.stringify(value).replaceAll(SHAPELESS, (character) =>
    [...Array(character.length).keys()]
      .map((unit) => escapedUnit(character.charCodeAt(unit)))
      .join(''),
  );
}

function escapedUnit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
