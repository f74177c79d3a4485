import { plainJson, plainLines, visible } from '../plain-text.ts';

/** Characters of a text for people; more than that nobody reads in a terminal. */
const TEXT_LIMIT = 2 ** 16;

/** The part of a stream that is written to. */
export interface PrintTarget {
  write(text: string): unknown;
  /** Whether a person looks at it. */
  readonly isTTY?: boolean;
}

/** Prints lines for people. Whatever stands in files that they quote, it cannot steer a terminal. */
export function printText(target: PrintTarget, text: string): void {
  target.write(`${plainLines(text, TEXT_LIMIT)}\n`);
}

/** Prints a value as one line of JSON. */
export function printJson(target: PrintTarget, value: unknown): void {
  target.write(`${plainJson(value)}\n`);
}

/** Prints a piece of a text, such as what a model writes: to a terminal as plain text, to a file as it is. */
export function printPiece(target: PrintTarget, text: string): void {
  target.write(target.isTTY === true ? visible(text) : text);
}
