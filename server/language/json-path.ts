import { findNodeAtOffset, getNodePath, type Node, type ParseError, parseTree } from 'jsonc-parser';

/** Keys, and indices of lists, from the root of the document to a value. */
export type ConfigPath = readonly (string | number)[];

/** A text with comments and trailing commas, read as far as it can be. */
export interface JsoncTree {
  /** Undefined for a text without any value. */
  readonly root: Node | undefined;
  /** Offset of the first mistake; undefined for a text without one. */
  readonly errorOffset: number | undefined;
}

/** Reads a text. Nothing but comments is no mistake: it is a configuration without any key yet. */
export function readTree(text: string): JsoncTree {
  const errors: ParseError[] = [];
  const options = { allowTrailingComma: true, allowEmptyContent: true };
  try {
    const root = parseTree(text, errors, options);
    return { root, errorOffset: errors[0]?.offset };
  } catch (error) {
    // The parser is recursive, and nesting that no configuration has overflows its stack.
    if (!(error instanceof RangeError)) throw error;
    return { root: undefined, errorOffset: 0 };
  }
}

/** The path of the key or value at an offset; empty where there is none. */
export function pathAtOffset(root: Node | undefined, offset: number): ConfigPath {
  const node = root === undefined ? undefined : findNodeAtOffset(root, offset);
  return node === undefined ? [] : getNodePath(node);
}
