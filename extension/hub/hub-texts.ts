import * as vscode from 'vscode';
import type { TrainingMemory } from '../../engine/plan/training-memory.ts';
import { formatBytes } from '../../server/format.ts';

/** Whether a model can be trained with the memory of this machine, as a sentence. */
export function verdict({ stored, nf4, limit }: TrainingMemory): string {
  const free = formatBytes(limit);
  if (nf4 === null) {
    return vscode.l10n.t('Trains in {0} of memory; {1} are free', formatBytes(stored), free);
  }
  if (nf4 <= limit) {
    return vscode.l10n.t(
      'Trains in {0} of memory with its weights in 4 bits (NF4); {1} are free',
      formatBytes(nf4),
      free,
    );
  }
  return vscode.l10n.t(
    'Too large for this machine: needs {0} of memory even in 4 bits; {1} are free',
    formatBytes(nf4),
    free,
  );
}

/** Whether a model is trained with its weights in NF4, since they do not fit as they are stored. */
export function needsNf4({ nf4 }: TrainingMemory): boolean {
  return nf4 !== null;
}

const LICENCES: Readonly<Record<string, string>> = {
  'apache-2.0': 'Apache 2.0',
  mit: 'MIT',
  llama2: 'Llama 2 licence',
  llama3: 'Llama 3 licence',
  'llama3.1': 'Llama 3.1 licence',
  'llama3.2': 'Llama 3.2 licence',
  'qwen-research': 'Qwen Research licence',
};

/** A licence as people write it, by the Hub's abbreviation. */
export function licenceName(licence: string | null): string {
  if (licence === null) return vscode.l10n.t('no licence named');
  const known = LICENCES[licence];
  if (known !== undefined) return known;
  // Creative Commons: "cc-by-sa-4.0".
  return /^cc-?/.test(licence)
    ? licence
        .toUpperCase()
        .replace(/^CC-?/, 'CC ')
        .replace(/-(?=[\d.]+$)/, ' ')
    : licence;
}

/** The parts of a description that there are. */
export function described(...parts: readonly (string | null | undefined | false)[]): string {
  return parts.filter(Boolean).join(' · ');
}

/** How often something was downloaded. */
export function downloadsText(downloads: number): string {
  if (downloads === 1) return vscode.l10n.t('1 download');
  return vscode.l10n.t('{0} downloads', downloads.toLocaleString(vscode.env.language));
}

/** How many rows data have: a number, or the class that the Hub puts them in (`10K<n<100K`). */
export function rowsText(rows: number | string | null): string | null {
  if (rows === null) return null;
  if (typeof rows === 'number') {
    return vscode.l10n.t('{0} rows', rows.toLocaleString(vscode.env.language));
  }
  const [, from, to] = /^([\d.]+[KMB]?)<n<([\d.]+[KMBT]?)$/.exec(rows) ?? [];
  return from === undefined ? null : vscode.l10n.t('{0} to {1} rows', from, to!);
}
