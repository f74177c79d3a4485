import path from 'node:path';
import * as vscode from 'vscode';
import { folderNameProblem, takenName } from '../server/runs/folder-name.ts';
import { askForText } from './show/quick-input.ts';

/**
 * Asks for another name of a folder; what is wrong with one is said while it is typed, by the server's own rules.
 *
 * @returns undefined when the user closed the question or left the name as it was
 */
export async function askFolderName(folder: string, prompt: string): Promise<string | undefined> {
  const before = path.basename(folder);
  const taken = await namesBeside(folder);
  const name = await askForText({
    title: vscode.l10n.t('Rename {0}', before),
    prompt,
    value: before,
    problemOf: (text) => {
      const typed = text.trim();
      if (typed === before) return undefined;
      return folderNameProblem(typed) ?? (taken.has(typed) ? takenName(typed) : undefined);
    },
  });
  const wanted = name?.trim();
  return wanted === before ? undefined : wanted;
}

/** Names that are taken, as far as one may see them: what the disk makes of them, the server finds out. */
async function namesBeside(folder: string): Promise<ReadonlySet<string>> {
  const parent = vscode.Uri.file(path.dirname(folder));
  const entries = await vscode.workspace.fs.readDirectory(parent).then(undefined, () => []);
  return new Set(entries.map(([name]) => name));
}
