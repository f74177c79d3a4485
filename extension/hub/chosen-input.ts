import path from 'node:path';
import type * as vscode from 'vscode';
import type { DataSample } from '../../server/protocol/data.ts';
import type { FoundModel } from '../../server/protocol/models.ts';

/** What a configuration is to name: a path, or a name of the Hugging Face Hub. */
export type ChosenInput = { readonly path: string } | { readonly hub: string };

/** Training data that were chosen; of those on the Hub the first rows were looked at. */
export type ChosenData =
  | { readonly path: string }
  | { readonly hub: string; readonly sample: DataSample };

/** A base model that was chosen. */
export interface ChosenModel {
  readonly input: ChosenInput;
  /** Whether it is on this machine. */
  readonly isHere: boolean;
  /** Whether its weights only fit into memory in NF4. */
  readonly nf4: boolean;
  /** Puts it where it is to be, when all other questions were answered too. */
  readonly bring?: () => Promise<void>;
}

/** A model on this machine; one of the Hub's cache goes by its name there, under which others find it too. */
export function modelHere({
  path,
  name,
  origin,
}: Pick<FoundModel, 'path'> & Partial<Pick<FoundModel, 'name' | 'origin'>>): ChosenModel {
  const isOfHub = origin === 'huggingface' && name !== undefined && name.includes('/');
  return { input: isOfHub ? { hub: name } : { path }, isHere: true, nf4: false };
}

/** How a configuration in a folder names an input: what is inside relative to it, so that it can be moved. */
export function nameInFile(folder: vscode.Uri, input: ChosenInput): string {
  return 'hub' in input ? input.hub : pathInFile(folder, input.path);
}

/** An input as a short name for people: the file's, or the repository's without its owner and parts. */
export function shortName(input: ChosenInput): string {
  if ('path' in input) return path.parse(input.path).name;
  return /^[^/]+\/([^@:[]+)/.exec(input.hub)?.[1] ?? input.hub;
}

/** Paths inside the folder are written relative to it, so that the folder can be moved. */
export function pathInFile(folder: vscode.Uri, target: string): string {
  const relative = path.relative(folder.fsPath, target);
  const isInside = !relative.startsWith('..') && !path.isAbsolute(relative);
  return isInside ? relative.replaceAll('\\', '/') || '.' : target;
}
