import { shortened } from '../engine/quote.ts';

/**
 * Text from outside the program (files, names of files, what other programs print) for whoever shows
 * it. Nothing in it may steer what shows it or hide from the reader, in a terminal, a log, a page or
 * the editor alike; what one renderer alone reads as markup is escaped where that renderer is called
 * (`extension/renderers/`).
 */

/**
 * Characters that have no shape of their own: controls, formatting (bidirectional overrides, marks
 * and isolates, zero-width ones, tags), separators of lines and paragraphs, halves of pairs.
 */
const SHAPELESS = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Joiners that do their work: inside emoji, and in scripts whose letters change by them. */
const JOINER_AT_WORK = /(?<=[^\0-\u024F\p{Cf}])[\u200C\u200D](?=[^\0-\u024F\p{Cf}])/gu;

/**
 * Shows what has no shape by its escape, as JavaScript writes it: `\u202e`. Line feeds, tabs, and
 * joiners between letters that need them stay.
 */
export function visible(text: string): string {
  const atWork = new Set([...text.matchAll(JOINER_AT_WORK)].map(({ index }) => index));
  return text.replaceAll(SHAPELESS, (character, offset: number) =>
    character === '\n' || character === '\t' || atWork.has(offset) ? character : escaped(character),
  );
}

/** Several lines of plain text, of at most `most` characters. */
export function plainLines(text: string, most: number): string {
  return shortened(visible(text.replaceAll('\r\n', '\n')), most);
}

/** One line of plain text, of at most `most` characters; a sign stands where a line ended. */
export function plainLine(text: string, most: number): string {
  return shortened(
    visible(
      text
        .trim()
        .replaceAll(/\s*[\r\n]\s*/g, ' ⏎ ')
        .replaceAll('\t', ' '),
    ),
    most,
  );
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

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  return code > 0xff_ff ? `\\u{${code.toString(16)}}` : escapedUnit(code);
}

function escapedUnit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
