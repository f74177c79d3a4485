import { findNodeAtLocation, getNodeValue, type Node } from 'jsonc-parser';
import type { TextEdit } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { type ConfigPath, formatPath } from '../../engine/config/config-error.ts';
import { describeValue } from '../../engine/config/expectation.ts';
import type { Setting } from '../../engine/config/path-problem.ts';
import { changedRange, NotAnObjectError, withoutValue, withValue } from './config-edit.ts';
import type { FindingRemedy } from './inspection/finding.ts';
import { readTree } from './json-path.ts';
import { capitalized } from './words.ts';

/**
 * The edit by which a remedy changes a document. Comments and formatting stay.
 *
 * @returns undefined where there is nothing to change: the document is no longer what the remedy was
 *   made for, or it needs no change
 */
export function remedyEdit(document: TextDocument, remedy: FindingRemedy): TextEdit | undefined {
  const before = document.getText();
  if (readTree(before).errorOffset !== undefined) return undefined;
  const after = tryApply(before, remedy);
  if (after === before) return undefined;
  const { start, end, text } = changedRange(before, after);
  const range = { start: document.positionAt(start), end: document.positionAt(end) };
  return { range, newText: text };
}

/**
 * What a remedy does, as the name of a quick fix.
 *
 * @param at the path of the problem: a value there is simply changed, another one is named
 */
export function remedyTitle(remedy: FindingRemedy, at: ConfigPath): string {
  switch (remedy.kind) {
    case 'set':
      return (
        remedy.title ??
        capitalized(remedy.values.map((setting) => settingTitle(setting, at)).join(' and '))
      );
    case 'rename': {
      const isHere = formatPath(remedy.path.slice(0, -1)) === formatPath(remedy.to.slice(0, -1));
      return isHere ? `Rename to \`${remedy.to.at(-1)}\`` : `Move to \`${formatPath(remedy.to)}\``;
    }
    case 'remove':
      return `Remove \`${formatPath(remedy.path)}\``;
    case 'run':
      return remedy.title;
  }
}

function settingTitle({ path, value }: Setting, at: ConfigPath): string {
  const shown = describeValue(value);
  return formatPath(path) === formatPath(at)
    ? `change to ${shown}`
    : `set \`${formatPath(path)}\` to ${shown}`;
}

function tryApply(text: string, remedy: FindingRemedy): string {
  try {
    return apply(text, remedy);
  } catch (error) {
    if (error instanceof NotAnObjectError) return text;
    throw error;
  }
}

function apply(text: string, remedy: FindingRemedy): string {
  switch (remedy.kind) {
    case 'set':
      return change(text, remedy.values, remedy.removes);
    case 'remove':
      return remove(text, remedy.path);
    case 'rename':
      return rename(text, remedy.path, remedy.to);
    case 'run':
      return change(text, remedy.values, remedy.removes);
  }
}

function change(
  text: string,
  values: readonly Setting[],
  removes: readonly ConfigPath[] = [],
): string {
  const removed = removes.reduce(remove, text);
  return values.reduce((result, each) => set(result, each.path, each.value), removed);
}

/** An item of a list, or a key of it, is set by setting the list, of which only that changes. */
function set(text: string, path: ConfigPath, value: unknown): string {
  const list = listOf(path);
  if (list === undefined) return withValue(text, keysOf(path), value);
  return setItem(text, list, (item) =>
    list.key === undefined ? [value] : [{ ...Object(item), [list.key]: value }],
  );
}

function remove(text: string, path: ConfigPath): string {
  const list = listOf(path);
  if (list === undefined) return withoutValue(text, keysOf(path));
  return setItem(text, list, (item) => {
    if (list.key === undefined) return [];
    return [Object.fromEntries(Object.entries(Object(item)).filter(([key]) => key !== list.key))];
  });
}

/** @param change what takes the place of the item */
function setItem(
  text: string,
  { path, index }: ListItem,
  change: (item: unknown) => readonly unknown[],
): string {
  const items = valueAt(text, path);
  if (!Array.isArray(items)) return text;
  return withValue(text, keysOf(path), items.toSpliced(index, 1, ...change(items[index])));
}

function rename(text: string, from: ConfigPath, to: ConfigPath): string {
  const node = nodeAt(text, from);
  const key = node?.parent?.children?.[0];
  if (node === undefined || key === undefined || nodeAt(text, to) !== undefined) return text;
  if (formatPath(from.slice(0, -1)) === formatPath(to.slice(0, -1))) {
    const end = key.offset + key.length;
    return text.slice(0, key.offset) + JSON.stringify(to.at(-1)) + text.slice(end);
  }
  const value = valueAt(text, from);
  return set(withoutValue(text, keysOf(from)), to, value);
}

/** An item of a list, or a key of it. */
interface ListItem {
  readonly path: ConfigPath;
  readonly index: number;
  readonly key: string | undefined;
}

function listOf(path: ConfigPath): ListItem | undefined {
  const at = path.findLastIndex((part) => typeof part === 'number');
  if (at === -1) return undefined;
  const key = path[at + 1];
  return {
    path: path.slice(0, at),
    index: Number(path[at]),
    key: key === undefined ? undefined : String(key),
  };
}

function keysOf(path: ConfigPath): readonly string[] {
  return path.map(String);
}

function nodeAt(text: string, path: ConfigPath): Node | undefined {
  const { root } = readTree(text);
  return root && findNodeAtLocation(root, [...path]);
}

function valueAt(text: string, path: ConfigPath): unknown {
  const node = nodeAt(text, path);
  return node && getNodeValue(node);
}
