import { findNodeAtOffset, getNodePath, type Node } from 'jsonc-parser';
import type { ConfigPath } from '../../engine/config/config-error.ts';
import { parseJsoncTree } from '../../engine/config/jsonc-tree.ts';

/** A text with comments and trailing commas, read as far as it can be. */
export interface JsoncTree {
  /** Undefined for a text without any value. */
  readonly root: Node | undefined;
  /** Offset of the first mistake; undefined for a text without one. */
  readonly errorOffset: number | undefined;
}

/** Reads a text. Nothing but comments is no mistake: it is a configuration without any key yet. */
export function readTree(text: string): JsoncTree {
  const { root, errors, refused } = parseJsoncTree(text, { allowEmptyContent: true });
  return { root, errorOffset: refused === undefined ? errors[0]?.offset : 0 };
}

/** The path of the key or value at an offset; empty where there is none. */
export function pathAtOffset(root: Node | undefined, offset: number): ConfigPath {
  const node = root === undefined ? undefined : findNodeAtOffset(root, offset);
  return node === undefined ? [] : getNodePath(node);
}
