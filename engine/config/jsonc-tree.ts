import {
  createScanner,
  type Node,
  type ParseError,
  type ParseOptions,
  parseTree,
} from 'jsonc-parser';
import { MAX_JSON_DEPTH } from '../json.ts';

/** A thousand times what configurations have, in UTF-16 units. */
export const MAX_CONFIG_LENGTH = 2 ** 20;

/** Fifty times what configurations have: values, keys, brackets, commas and colons. */
const MAX_TOKENS = 20_000;

/** A JSONC text (comments and trailing commas allowed) as the tree of its nodes. */
export interface JsoncTree {
  /** As far as the text can be understood. */
  readonly root: Node | undefined;
  readonly errors: readonly ParseError[];
  /** Why the text was not even looked at, to be read after "it is"; undefined if it was. */
  readonly refused?: string;
}

/** Reads a text, in time that grows with its length and no more. */
export function parseJsoncTree(text: string, options: ParseOptions = {}): JsoncTree {
  const refused = refusal(text);
  if (refused !== undefined) return { root: undefined, errors: [], refused };
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, ...options });
  return { root, errors };
}

/**
 * Why a text is not given to a parser, which would call itself for each level and list each mistake;
 * undefined if it may.
 */
export function refusal(text: string): string | undefined {
  if (text.length > MAX_CONFIG_LENGTH) return 'longer than any configuration';
  const scanner = createScanner(text, true);
  let depth = 0;
  for (let tokens = 0; tokens <= MAX_TOKENS; tokens++) {
    scanner.scan();
    // The library's names of tokens are gone when it runs; their first characters tell as much.
    const first = text[scanner.getTokenOffset()];
    if (first === undefined) return undefined;
    if (first === '{' || first === '[') depth += 1;
    else if (first === '}' || first === ']') depth -= 1;
    if (depth > MAX_JSON_DEPTH) return 'nested too deeply';
  }
  return 'made of more parts than any configuration';
}
