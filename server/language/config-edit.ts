import { getNodeValue, type Node } from 'jsonc-parser';
import type { ConfigPath } from '../../engine/config/config-error.ts';
import { readTree } from './json-path.ts';
import { insertChild, removeChild } from './jsonc-children.ts';

/** Something other than an object stands where a key should go. */
export class NotAnObjectError extends Error {
  /** Where it stands. */
  readonly path: ConfigPath;

  constructor(path: ConfigPath) {
    super(`No key can be set in ${path.join('.')}, which is not an object.`);
    this.path = path;
  }
}

/**
 * The text with a value set. Objects on the way are made; of a list or an object only the children
 * that differ are touched; comments and formatting stay.
 *
 * @param text JSONC without mistakes of syntax
 * @param path keys from the root
 * @throws NotAnObjectError where a key of the path has a value of another kind
 */
export function withValue(text: string, path: ConfigPath, value: unknown): string {
  let result = readTree(text).root === undefined ? withRoot(text) : text;
  for (let depth = 0; depth < path.length; depth++) {
    const parent = path.slice(0, depth);
    const container = nodeAt(result, parent)!;
    if (container.type !== 'object') throw new NotAnObjectError(parent);
    if (nodeAt(result, path.slice(0, depth + 1)) !== undefined) continue;
    const isLast = depth === path.length - 1;
    const source = `${JSON.stringify(path[depth])}: ${isLast ? toSource(value) : '{}'}`;
    const index = container.children?.length ?? 0;
    result = insertChild(result, container, index, source, breaksLines(parent));
  }
  return replaceValue(result, path, value);
}

/**
 * The text without a key. An object inside a section goes with its last key; a section stays.
 *
 * @param text JSONC without mistakes of syntax
 */
export function withoutValue(text: string, path: ConfigPath): string {
  const parent = path.slice(0, -1);
  const container = nodeAt(text, parent);
  const index = container?.children?.findLastIndex((child) => keyOf(child) === path.at(-1)) ?? -1;
  if (container === undefined || index < 0) return text;
  const isEmptied = container.children?.length === 1;
  return isEmptied && !breaksLines(parent)
    ? withoutValue(text, parent)
    : removeChild(text, container, index);
}

/** What to replace in `before` to get `after`: one stretch, as short as it can be. */
export function changedRange(
  before: string,
  after: string,
): { readonly start: number; readonly end: number; readonly text: string } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let tail = 0;
  while (tail < shorter - start && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  return {
    start,
    end: before.length - tail,
    text: after.slice(start, after.length - tail),
  };
}

/** The root and the sections have a line for each key; what is inside them stands on one line. */
function breaksLines(path: ConfigPath): boolean {
  return path.length < 2;
}

function withRoot(text: string): string {
  const comments = text.trimEnd();
  return `${comments}${comments === '' ? '' : '\n'}{}\n`;
}

function replaceValue(text: string, path: ConfigPath, value: unknown): string {
  const node = nodeAt(text, path)!;
  const next = childrenOf(value);
  if (next !== undefined && node.type === kindOf(value)) return replaceChildren(text, path, next);
  return replaceNode(text, node, value);
}

/** A property or an item. */
interface Child {
  readonly key?: string;
  readonly value: unknown;
}

/** Touches only what lies between the children that are equal at the start and at the end. */
function replaceChildren(text: string, path: ConfigPath, next: readonly Child[]): string {
  const old = (nodeAt(text, path)!.children ?? []).map(childOf);
  const shorter = Math.min(old.length, next.length);
  let head = 0;
  while (head < shorter && isSame(old[head], next[head])) head++;
  let tail = 0;
  while (tail < shorter - head && isSame(old.at(-1 - tail), next.at(-1 - tail))) tail++;

  let result = text;
  const container = (): Node => nodeAt(result, path)!;
  for (let index = head; index < next.length - tail; index++) {
    const child = next[index]!;
    result =
      index < old.length - tail
        ? replaceChild(result, container().children![index]!, child)
        : insertChild(result, container(), index, childSource(child), breaksLines(path));
  }
  for (let index = old.length - tail - 1; index >= next.length - tail; index--) {
    result = removeChild(result, container(), index);
  }
  return result;
}

function replaceChild(text: string, node: Node, { key, value }: Child): string {
  if (key === undefined) return replaceNode(text, node, value);
  const [keyNode, valueNode] = node.children!;
  return replaceNode(replaceNode(text, valueNode!, value), keyNode!, key);
}

function replaceNode(text: string, node: Node, value: unknown): string {
  if (isSame(getNodeValue(node), value)) return text;
  return text.slice(0, node.offset) + toSource(value) + text.slice(node.offset + node.length);
}

function nodeAt(text: string, path: ConfigPath): Node | undefined {
  return path.reduce<Node | undefined>(
    // Of a key that stands twice the last one counts.
    (node, key) => node?.children?.findLast((child) => keyOf(child) === key)?.children?.[1],
    readTree(text).root,
  );
}

function keyOf(node: Node): string | undefined {
  return node.type === 'property' ? (node.children?.[0]?.value as string) : undefined;
}

function childOf(node: Node): Child {
  const key = keyOf(node);
  if (key === undefined) return { value: getNodeValue(node) as unknown };
  const value = node.children?.[1];
  return { key, value: value === undefined ? undefined : (getNodeValue(value) as unknown) };
}

function kindOf(value: unknown): 'array' | 'object' | undefined {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'object' && value !== null ? 'object' : undefined;
}

function childrenOf(value: unknown): readonly Child[] | undefined {
  if (Array.isArray(value)) return value.map((item: unknown) => ({ value: item }));
  if (kindOf(value) !== 'object') return undefined;
  return Object.entries(value as object).map(([key, item]: [string, unknown]) => ({
    key,
    value: item,
  }));
}

function childSource({ key, value }: Child): string {
  return key === undefined ? toSource(value) : `${JSON.stringify(key)}: ${toSource(value)}`;
}

/** A value on one line, with the spaces that people write. */
function toSource(value: unknown): string {
  const children = childrenOf(value)?.map(childSource);
  if (children === undefined) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${children.join(', ')}]`;
  return children.length === 0 ? '{}' : `{ ${children.join(', ')} }`;
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
