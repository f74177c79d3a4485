import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { getLocation, type JSONPath, type Location, parse } from 'jsonc-parser';
import {
  type CompletionItem,
  CompletionItemKind,
  type Position,
  type Range,
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { type Given, givenIn, member } from '../../engine/config/given.ts';
import { resolveInput } from '../../engine/config/resolve-paths.ts';
import { type NvidiaGpu, nvidiaGpus } from '../../engine/runtime/nvidia-smi.ts';
import { formatBytes } from '../format.ts';
import { COLUMN_KEYS, TEMPLATE_KEYS } from './inspection/column-findings.ts';
import { type ListedPath, listPaths, type PathKind } from './list-paths.ts';

/** What completions ask about the user's files. */
export interface FileKnowledge {
  /** Columns of data files, each perhaps named with a slice. */
  columns(names: readonly string[]): Promise<readonly string[]>;
  /** Full names of the layers of a base model that can have an adapter. */
  moduleNames(location: string): Promise<readonly string[]>;
}

/** What paths each key takes. */
const PATH_KINDS: Readonly<Record<string, PathKind>> = {
  'model.base_model_name_or_path': 'model',
  'data.dataset_name_or_path': 'data',
  'data.eval_dataset_name_or_path': 'data',
  'data.chat_template': 'template',
  'data.mix.dataset_name_or_path': 'data',
  'lora.init_adapter': 'adapter',
};

const COLUMN_PLACES = placesOf(COLUMN_KEYS);
const TEMPLATE_PLACES = placesOf(TEMPLATE_KEYS);
const DEVICE_PLACE = 'engine.device';
const MODULE_PLACES: ReadonlySet<string> = new Set(['lora.target_modules', 'lora.exclude_modules']);

/** For so long a driver is asked while somebody waits for completions, in milliseconds. */
const DRIVER_MS = 2_000;

/** Keys of section `data`, and of the sets that are mixed in. */
function placesOf(keys: readonly string[]): ReadonlySet<string> {
  return new Set(keys.flatMap((key) => [`data.${key}`, `data.mix.${key}`]));
}

/** Values at a position that only the user's files and machine know: paths, columns, layers of the model, GPUs. */
export async function valueCompletions(
  document: TextDocument,
  position: Position,
  files: FileKnowledge,
): Promise<CompletionItem[]> {
  const text = document.getText();
  const location = getLocation(text, document.offsetAt(position));
  if (location.isAtPropertyKey) return [];
  const place = placeOf(location.path);
  const kind = PATH_KINDS[place];
  const target = targetOf(document, position, location);
  const given = givenIn(parse(text, [], { allowTrailingComma: true }));
  const folder = path.dirname(fileURLToPath(document.uri));
  if (kind !== undefined) {
    const listed = await listPaths(folder, target.typed, kind);
    return listed.map((each) => pathItem(each, target));
  }
  if (COLUMN_PLACES.has(place)) {
    const columns = await files.columns(dataNames(given, folder, location.path));
    return columns.map((name) => valueItem(name, CompletionItemKind.Field, target));
  }
  if (TEMPLATE_PLACES.has(place) && target.isInString) {
    const columns = await files.columns(dataNames(given, folder, location.path));
    return columns.map((name) => columnInTemplate(name, document, position));
  }
  if (place === DEVICE_PLACE) {
    // Others are the schema's; whether a device works is found out by a run, the Doctor or the form.
    const gpus = (await nvidiaGpus(DRIVER_MS)) ?? [];
    return gpus.map((gpu) => gpuItem(gpu, target));
  }
  if (MODULE_PLACES.has(place)) {
    const isItem = typeof location.path.at(-1) === 'number';
    const taken = new Set([given('lora', place.slice('lora.'.length))].flat());
    const names = await moduleNames(given, folder, files);
    return names
      .filter((name) => !taken.has(name))
      .map((name) => moduleItem(isItem ? name : [name], target));
  }
  return [];
}

/** What a completion replaces. */
interface Target {
  readonly range: Range;
  /** Content of the string up to the cursor. */
  readonly typed: string;
  readonly isInString: boolean;
}

function targetOf(document: TextDocument, position: Position, { previousNode }: Location): Target {
  const offset = document.offsetAt(position);
  const isInString =
    previousNode?.type === 'string' &&
    offset > previousNode.offset &&
    offset <= previousNode.offset + previousNode.length;
  if (!isInString) return { range: { start: position, end: position }, typed: '', isInString };
  const range = {
    start: document.positionAt(previousNode.offset),
    end: document.positionAt(previousNode.offset + previousNode.length),
  };
  const before = document.getText({ start: range.start, end: position });
  return { range, typed: parseStart(before), isInString };
}

/** The content of a string that is read up to somewhere inside it. */
function parseStart(source: string): string {
  const value: unknown = parse(source.length > 1 && source.endsWith('"') ? source : `${source}"`);
  return typeof value === 'string' ? value : '';
}

/** The key that a value belongs to, alone or as one of a list. */
function placeOf(path: JSONPath): string {
  return path.filter((part) => typeof part === 'string').join('.');
}

function valueItem(value: string, kind: CompletionItemKind, { range }: Target): CompletionItem {
  const newText = JSON.stringify(value);
  return { label: value, kind, filterText: newText, sortText: '0', textEdit: { range, newText } };
}

/** A GPU with its name and memory: `NVIDIA GeForce RTX 4090, 22.0 GiB free of 24.0 GiB`. */
function gpuItem(
  { index, name, memoryBytes, freeBytes }: NvidiaGpu,
  target: Target,
): CompletionItem {
  const memory =
    memoryBytes === null || freeBytes === null
      ? []
      : [`${formatBytes(freeBytes)} free of ${formatBytes(memoryBytes)}`];
  const item = valueItem(`cuda:${index}`, CompletionItemKind.EnumMember, target);
  return { ...item, detail: [name, ...memory].join(', ') };
}

/** A layer, or a list of one where no list stands yet: a lone string is a regular expression. */
function moduleItem(value: string | readonly [string], { range }: Target): CompletionItem {
  const newText = JSON.stringify(value);
  const isFullName = newText.includes('.');
  return {
    label: typeof value === 'string' ? value : newText,
    kind: CompletionItemKind.Reference,
    filterText: JSON.stringify([value].flat()[0]),
    sortText: isFullName ? '1' : '0',
    textEdit: { range, newText },
  };
}

function pathItem({ text, isFolder }: ListedPath, target: Target): CompletionItem {
  const item = valueItem(
    text,
    isFolder ? CompletionItemKind.Folder : CompletionItemKind.File,
    target,
  );
  if (!text.endsWith('/')) return item;
  // A folder on the way: the cursor stays inside the string, and what is in it is offered next.
  const newText = JSON.stringify(text);
  return {
    ...item,
    sortText: '1',
    command: { title: 'Suggest', command: 'editor.action.triggerSuggest' },
    textEdit: { range: target.range, newText },
  };
}

function columnInTemplate(
  name: string,
  document: TextDocument,
  position: Position,
): CompletionItem {
  const line = document.getText({ start: { ...position, character: 0 }, end: position });
  const isOpen = /(?<!\{)\{(\{\{)*[^{}]*$/.test(line);
  const start = isOpen ? line.lastIndexOf('{') : position.character;
  const newText = JSON.stringify(`{${name}}`).slice(1, -1);
  return {
    label: `{${name}}`,
    kind: CompletionItemKind.Field,
    filterText: newText,
    sortText: '0',
    textEdit: { range: { start: { ...position, character: start }, end: position }, newText },
  };
}

/**
 * The names of the training data, whatever else is wrong with the configuration.
 *
 * @param place a key; of a set that is mixed in, that set's data are meant
 */
export function dataNames(given: Given, folder: string, place: JSONPath = []): readonly string[] {
  const [section, key, index] = place;
  const mix = given('data', 'mix');
  const isMixed = section === 'data' && key === 'mix' && Array.isArray(mix);
  const names = [
    isMixed
      ? member(mix[Number(index)], 'dataset_name_or_path')
      : given('data', 'dataset_name_or_path'),
  ].flat();
  return names
    .filter((name) => typeof name === 'string' && name !== '')
    .map((name) => resolveInput(name as string, folder));
}

/** What an entry may be called: first the ends of names that several layers share. */
async function moduleNames(
  given: Given,
  folder: string,
  files: FileKnowledge,
): Promise<readonly string[]> {
  const model = given('model', 'base_model_name_or_path');
  if (typeof model !== 'string' || model === '') return [];
  const names = await files.moduleNames(resolveInput(model, folder));
  const kinds = names.map((name) => name.slice(name.lastIndexOf('.') + 1));
  return [...new Set([...kinds, ...names])];
}
