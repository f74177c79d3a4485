import { messageOf } from './errors.ts';

/**
 * The deepest nesting of objects and lists that any JSON may have here. The deepest that the tools
 * around us write (tool schemas in chat rows) has about twenty levels, and what walks a value by
 * calling itself takes thousands, so that no such walk overflows the stack.
 */
export const MAX_JSON_DEPTH = 128;

/** Text that is no JSON, or none that is read here; the message completes "the file …". */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/**
 * Reads JSON whose nesting is bounded: the one place where text from a file becomes a value.
 *
 * @throws JsonError
 */
export function parseJson(text: string): unknown {
  if (isNestedTooDeeply(text)) {
    throw new JsonError(`is nested more than ${MAX_JSON_DEPTH} levels deep`);
  }
  // Recording the stack of two errors is most of what a broken line costs, and files have many of them.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new JsonError(`is not valid JSON (${withoutExcerpt(messageOf(error))})`);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The parser's message without the piece of the text, which may be long, and is anybody's. */
function withoutExcerpt(message: string): string {
  return message.replace(/, (\.\.\.)?".*/s, '');
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;
const ASTERISK = 0x2a;

/**
 * Whether JSON, with comments or without, is nested deeper than {@link MAX_JSON_DEPTH}. Of text that
 * is no JSON the answer means nothing, except that what it says no to is not deep for a parser that
 * ends a string at the end of its line.
 */
export function isNestedTooDeeply(text: string): boolean {
  // So many brackets are needed to get there.
  if (text.length <= MAX_JSON_DEPTH) return false;
  const lineEnds = new Finder(text, /[\r\n]/g);
  const quotes = new Finder(text, /"/g);
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(text, index, quotes, lineEnds);
    } else if (code === SLASH) {
      const next = text.charCodeAt(index + 1);
      if (next === SLASH) index = lineEnds.from(index);
      else if (next === ASTERISK) index = endOfComment(text, index + 2);
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) return true;
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

/** The index of the quote that ends a string, or of the end of its line. */
function endOfString(text: string, start: number, quotes: Finder, lineEnds: Finder): number {
  const lineEnd = lineEnds.from(start);
  for (let end = start + 1; ; end++) {
    end = quotes.from(end);
    if (end >= lineEnd) return lineEnd;
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
}

function endOfComment(text: string, start: number): number {
  const end = text.indexOf('*/', start);
  return end === -1 ? text.length : end + 1;
}

/** Finds what comes next, looking at each part of the text once however often it is asked. */
class Finder {
  readonly #text: string;
  readonly #wanted: RegExp;
  #found = -1;

  /** @param wanted with the flag `g` */
  constructor(text: string, wanted: RegExp) {
    this.#text = text;
    this.#wanted = wanted;
  }

  /** Index of the first at or after `start`, which never becomes smaller; the text's length if none. */
  from(start: number): number {
    if (this.#found < start) {
      this.#wanted.lastIndex = start;
      this.#found = this.#wanted.exec(this.#text)?.index ?? this.#text.length;
    }
    return this.#found;
  }
}
