import { createScanner, type Node } from 'jsonc-parser';

/**
 * Putting properties and items into a JSONC text and taking them out. Comments are never removed
 * and never change sides: one at the end of a line stays with what stands on that line.
 */

/** A stretch of the text and what comes in its place. */
interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Adds a child to an object or a list.
 *
 * @param index where it will stand among the children
 * @param source the property (`"key": value`) or item as text
 * @param breaksLines whether a container without children gets a line for each; one with children
 *   goes on as it is
 */
export function insertChild(
  text: string,
  container: Node,
  index: number,
  source: string,
  breaksLines: boolean,
): string {
  const children = container.children ?? [];
  const previous = children[index - 1];
  if (previous !== undefined) return insertAfter(text, previous, children.length > index, source);
  const next = children[0];
  if (next === undefined) return insertFirst(text, container, source, breaksLines);
  const separator = startsLine(text, next.offset)
    ? lineBreak(text) + indentAt(text, next.offset)
    : ' ';
  return replace(text, [{ start: next.offset, end: next.offset, text: `${source},${separator}` }]);
}

/** Takes a child with its comma, and with its line where nothing else stands there. */
export function removeChild(text: string, container: Node, index: number): string {
  const children = container.children ?? [];
  const child = children[index]!;
  const previous = children[index - 1];
  const end = endOf(child);
  const comma = commaAfter(text, end);
  const removedEnd = comma === undefined ? end : comma + 1;
  if (comma === undefined && previous !== undefined) {
    const before = commaAfter(text, endOf(previous))!;
    const isBare = text.slice(before + 1, child.offset).trim() === '';
    if (isBare && !startsLine(text, child.offset)) {
      return replace(text, [{ start: before, end, text: '' }]);
    }
    return replace(text, [
      { start: before, end: before + 1, text: '' },
      removal(text, child.offset, removedEnd),
    ]);
  }
  return replace(text, [removal(text, child.offset, removedEnd)]);
}

/** Applies replacements that do not overlap and are in order. */
function replace(text: string, replacements: readonly Replacement[]): string {
  return replacements.reduceRight(
    (result, { start, end, text: content }) => result.slice(0, start) + content + result.slice(end),
    text,
  );
}

function insertAfter(text: string, previous: Node, hasNext: boolean, source: string): string {
  const end = endOf(previous);
  const comma = commaAfter(text, end);
  const after = comma === undefined ? end : comma + 1;
  const separation: Replacement = { start: end, end, text: comma === undefined ? ',' : '' };
  // A comma behind the last child is somebody's style, and goes on.
  const content = hasNext || comma !== undefined ? `${source},` : source;
  const line = endOfLineComments(text, after);
  if (isFirstOfLine(text, previous.offset) && line.endsContainerOrLine) {
    const start = lineBreak(text) + indentAt(text, previous.offset);
    return replace(text, [separation, { start: line.end, end: line.end, text: start + content }]);
  }
  return replace(text, [separation, { start: after, end: after, text: ` ${content}` }]);
}

function insertFirst(text: string, container: Node, source: string, breaksLines: boolean): string {
  const start = container.offset + 1;
  const end = endOf(container) - 1;
  const inner = text.slice(start, end).trimEnd();
  if (inner === '' && !breaksLines) {
    const space = container.type === 'object' ? ' ' : '';
    return replace(text, [{ start, end, text: space + source + space }]);
  }
  const outerIndent = indentAt(text, container.offset);
  const newLine = lineBreak(text) + outerIndent;
  const content = `${inner}${newLine}${indentUnit(text)}${source}${newLine}`;
  return replace(text, [{ start, end, text: content }]);
}

/** Removes a stretch, together with its line if that is then empty, or else the space behind it. */
function removal(text: string, start: number, end: number): Replacement {
  const restOfLine = /^[ \t]*(\r\n|\n|$)/.exec(text.slice(end));
  if (restOfLine !== null && startsLine(text, start)) {
    return {
      start: start - indentAt(text, start).length,
      end: end + restOfLine[0].length,
      text: '',
    };
  }
  const space = /^[ \t]*/.exec(text.slice(end))![0].length;
  return { start, end: end + space, text: '' };
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}

/** Offset of the comma that is the next thing after `offset`, comments aside. */
function commaAfter(text: string, offset: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(offset);
  scanner.scan();
  const next = scanner.getTokenOffset();
  return text[next] === ',' ? next : undefined;
}

/** The end of the comments that follow on the same line, and whether anything else follows there. */
function endOfLineComments(
  text: string,
  offset: number,
): { readonly end: number; readonly endsContainerOrLine: boolean } {
  const comments = /^(?:[ \t]*(?:\/\/.*|\/\*.*?\*\/))*/.exec(text.slice(offset))![0];
  const end = offset + comments.length;
  return { end, endsContainerOrLine: /^[ \t]*(?:[\r\n}\]]|$)/.test(text.slice(end)) };
}

/** Whether only space stands before `offset` on its line. */
function startsLine(text: string, offset: number): boolean {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  return lineStart > 0 && text.slice(lineStart, offset).trim() === '';
}

/** Whether only space and comments stand before `offset` on its line, which is not the first. */
function isFirstOfLine(text: string, offset: number): boolean {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const before = text.slice(lineStart, offset).replaceAll(/\/\*.*?\*\//g, '');
  return lineStart > 0 && before.trim() === '';
}

/** The space at the start of the line on which `offset` is. */
function indentAt(text: string, offset: number): string {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(lineStart))![0];
}

/** One step of indentation, as the first indented line of the text has it. */
function indentUnit(text: string): string {
  return /^[ \t]+(?=\S)/m.exec(text)?.[0] ?? '  ';
}

function lineBreak(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
