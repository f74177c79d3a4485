import {
  findNodeAtLocation,
  getNodePath,
  getNodeValue,
  type Node,
  printParseErrorCode,
} from 'jsonc-parser';
import { type ConfigPath, type ConfigProblem, formatPath } from './config-error.ts';
import { parseJsoncTree } from './jsonc-tree.ts';
import { LineIndex } from './line-index.ts';
import { MAX_PROBLEMS } from './path-problem.ts';

/** A JSONC text (comments and trailing commas allowed) with the places of its keys and values. */
export interface JsoncDocument {
  /** What the text says; undefined where its syntax is broken. */
  readonly value: unknown;
  /** The first {@link MAX_PROBLEMS} syntax errors, or keys that stand twice. */
  readonly problems: readonly ConfigProblem[];
  /**
   * Where a value stands, or its key. A path that does not exist is located at its nearest parent.
   */
  locate(path: ConfigPath, part: 'key' | 'value'): DocumentLocation;
}

/** A place in a named file; both numbers count from 1. */
export interface DocumentLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Reads `text`; `file` is only used to say where things stand. */
export function readJsonc(text: string, file: string): JsoncDocument {
  const lines = new LineIndex(text);
  const at = (offset: number): DocumentLocation => ({ file, ...lines.locate(offset) });
  const { tree, errors } = parse(text);
  if (tree === undefined || errors.length > 0) {
    const problems = errors.map(
      ({ offset, words }): ConfigProblem => ({
        ...at(offset),
        code: 'config.syntax',
        message: `this is not valid JSON: ${words}`,
      }),
    );
    return { value: undefined, problems, locate: () => at(0) };
  }
  return {
    value: getNodeValue(tree) as unknown,
    problems: repeatedProperties(tree)
      .slice(0, MAX_PROBLEMS)
      .map((property) => ({
        ...at(property.offset),
        code: 'config.contradiction',
        message: `\`${formatPath(pathOf(property))}\` stands here a second time; keep one of the two`,
      })),
    locate: (path, part) => at(findOffset(tree, path, part)),
  };
}

function parse(text: string): { tree: Node | undefined; errors: readonly SyntaxProblem[] } {
  const { root: tree, errors, refused } = parseJsoncTree(text);
  if (refused !== undefined) return { tree, errors: [{ offset: 0, words: `it is ${refused}` }] };
  return {
    tree,
    errors: errors.slice(0, MAX_PROBLEMS).map(({ error, offset }) => ({
      offset,
      words: SYNTAX_WORDS[printParseErrorCode(error)] ?? 'this cannot be read',
    })),
  };
}

interface SyntaxProblem {
  readonly offset: number;
  readonly words: string;
}

/** The parser's error codes in words. */
const SYNTAX_WORDS: Readonly<Record<string, string>> = {
  InvalidSymbol:
    'a value here is neither a string in double quotes nor a number, true, false or null',
  InvalidNumberFormat: 'a number here is not written as JSON writes it',
  PropertyNameExpected: 'a key in double quotes should stand here',
  ValueExpected: 'a value should stand here',
  ColonExpected: 'a colon should stand here',
  CommaExpected: 'a comma should stand here',
  CloseBraceExpected: 'a closing } is missing',
  CloseBracketExpected: 'a closing ] is missing',
  EndOfFileExpected: 'the file should end here',
  UnexpectedEndOfComment: 'a comment is not closed',
  UnexpectedEndOfString: 'a string is not closed',
  UnexpectedEndOfNumber: 'a number is cut off',
  InvalidUnicode: 'a \\u escape needs four hexadecimal digits',
  InvalidEscapeCharacter: 'a backslash in a string must be doubled',
  InvalidCharacter: 'a control character stands in a string',
};

function repeatedProperties(node: Node): readonly Node[] {
  const children = node.children ?? [];
  const seen = new Set<unknown>();
  const repeated = children.filter((child) => {
    if (child.type !== 'property') return false;
    const key: unknown = child.children?.[0]?.value;
    const isRepeated = seen.has(key);
    seen.add(key);
    return isRepeated;
  });
  return [...repeated, ...children.flatMap(repeatedProperties)];
}

function pathOf(property: Node): ConfigPath {
  const [key, value] = property.children ?? [];
  return value === undefined ? [String(key?.value)] : getNodePath(value);
}

function findOffset(tree: Node, path: ConfigPath, part: 'key' | 'value'): number {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(tree, path.slice(0, length));
    if (node === undefined) continue;
    const isWhole = length === path.length;
    // The first child of a property node is its key; a missing key is shown at its parent's.
    const key = node.parent?.type === 'property' ? node.parent.children?.[0] : undefined;
    return part === 'key' || !isWhole ? (key ?? node).offset : node.offset;
  }
  return tree.offset;
}
