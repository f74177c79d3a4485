import { getNodeValue } from 'jsonc-parser';
import { pathAtOffset, readTree } from '../../server/language/json-path.ts';
import type { FormFix, FormProblem, FormState } from './messages.ts';

/** A diagnostic of the document, at an offset in its text. */
export interface TextProblem {
  readonly offset: number;
  readonly severity: FormProblem['severity'];
  readonly message: string;
  readonly fixes: readonly FormFix[];
}

/**
 * Reads a document for the form.
 *
 * @param problems what the language server and VS Code's own JSON support say about it
 * @param lastValues shown while the syntax is broken
 */
export function readFormState(
  text: string,
  problems: readonly TextProblem[],
  lastValues: unknown,
): Omit<FormState, 'isRestricted'> {
  const { root, errorOffset } = readTree(text);
  const isBroken = errorOffset !== undefined;
  const read: unknown = root === undefined ? {} : getNodeValue(root);
  return {
    values: isBroken ? lastValues : read,
    syntaxError: isBroken ? lineAndColumn(text, errorOffset) : null,
    problems: problems.map(({ offset, severity, message, fixes }) => ({
      // In a broken text, paths are what the parser made of it: the banner is the better place.
      path: isBroken ? [] : pathAtOffset(root, offset),
      severity,
      message,
      fixes,
    })),
  };
}

function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split(/\r\n|\n/);
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}
