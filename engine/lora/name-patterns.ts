import { runInNewContext } from 'node:vm';
import { type LorafaError, messageOf } from '../errors.ts';
import { quote } from '../quote.ts';

/** Makes the error for a field of a LoRA configuration; `problem` goes on "`FIELD` …". */
export type FieldError = (field: string, problem: string) => LorafaError;

/** Which names one entry of a LoRA configuration stands for. */
export interface Entry {
  /** The entry as it was written: a name or a regular expression. */
  readonly text: string;
  /** Full names of layers. */
  readonly matches: ReadonlySet<string>;
}

/** Longer than this only takes an expression that backtracks without end. */
const TIMEOUT_MS = 1000;

/** Whether a name in a list means a layer: its full name or the end of it, from a dot on. */
export function isNameOf(entry: string, fullName: string): boolean {
  return fullName === entry || fullName.endsWith(`.${entry}`);
}

/** The names that a regular expression matches whole, as Python's `re.fullmatch` does. */
export function fullMatches(
  source: string,
  names: readonly string[],
  field: string,
  fail: FieldError,
): Entry {
  return test([source], (text) => `^(?:${text})$`, names, field, fail)[0]!;
}

/**
 * The names that each key of PEFT's `rank_pattern` or `alpha_pattern` matches: the whole name, or
 * all that follows some dot in it (`get_pattern_key` in `peft/utils/other.py`).
 */
export function patternKeyMatches(
  keys: readonly string[],
  names: readonly string[],
  field: string,
  fail: FieldError,
): Entry[] {
  return test(keys, (text) => `^(.*\\.)?(${text})$`, names, field, fail);
}

function test(
  sources: readonly string[],
  anchor: (source: string) => string,
  names: readonly string[],
  field: string,
  fail: FieldError,
): Entry[] {
  if (sources.length === 0) return [];
  const expressions = sources.map((source) => {
    try {
      // Unicode mode refuses what Python means otherwise (\A, \Z), instead of matching a letter.
      // The source is compiled alone first, so that a stray parenthesis cannot undo the anchors.
      new RegExp(source, 'u');
      return new RegExp(anchor(source), 'u');
    } catch (error) {
      // The engine's words begin with the whole expression, which may be of any length.
      const reason = messageOf(error).split('/u: ').at(-1);
      throw fail(
        field,
        `holds an invalid regular expression, ${quote(source)} (${reason}); correct it, or use plain names`,
      );
    }
  });
  const matches = matchWithinTime(expressions, names);
  if (matches === undefined) {
    throw fail(
      field,
      `holds a regular expression that takes too long to match; use plain names instead of ${quoteAll(sources)}`,
    );
  }
  return sources.map((text, index) => ({ text, matches: new Set(matches[index]) }));
}

/** For each expression the names it matches; undefined when that takes too long. */
function matchWithinTime(
  expressions: readonly RegExp[],
  names: readonly string[],
): readonly (readonly string[])[] | undefined {
  // An adapter's file comes from strangers and may hold an expression that backtracks for hours;
  // only a script of its own can be stopped.
  try {
    return runInNewContext(
      'expressions.map((expression) => names.filter((name) => expression.test(name)))',
      { expressions, names },
      { timeout: TIMEOUT_MS },
    );
  } catch (error) {
    if (isTimeout(error)) return undefined;
    throw error;
  }
}

/** The error comes from the script's own realm, so it is no instance of this one's `Error`. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}

/** Names as a message lists them, the first few only: `"a", "b" and 3 more`. */
export function quoteAll(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).map((name) => JSON.stringify(name.slice(0, 200)));
  return names.length > most
    ? `${shown.join(', ')} and ${names.length - most} more`
    : shown.join(', ');
}
