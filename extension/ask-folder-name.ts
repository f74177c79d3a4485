import path from 'node:path';
import * as vscode from 'vscode';
import { type FolderNameWords, folderNameProblem } from '../server/runs/folder-name.ts';
import { askForText } from './show/quick-input.ts';

/**
 * Asks for another name of a folder; what is wrong with one is said while it is typed, by the server's own rules in
 * the user's language.
 *
 * @returns undefined when the user closed the question or left the name as it was
 */
export async function askFolderName(folder: string, prompt: string): Promise<string | undefined> {
  const before = path.basename(folder);
  const taken = await namesBeside(folder);
  const words = folderNameWords();
  const name = await askForText({
    title: vscode.l10n.t('Rename {0}', before),
    prompt,
    value: before,
    problemOf: (text) => {
      const typed = text.trim();
      if (typed === before) return undefined;
      return folderNameProblem(typed, words) ?? (taken.has(typed) ? words.taken(typed) : undefined);
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

function folderNameWords(): FolderNameWords {
  return {
    empty: vscode.l10n.t('A folder needs a name.'),
    edges: vscode.l10n.t('A name begins and ends with neither a dot nor a space.'),
    long: (most) => vscode.l10n.t('A name has at most {0} characters.', most),
    forbidden: (character) => vscode.l10n.t('A name cannot hold {0}; leave it out.', character),
    unseen: (name) =>
      vscode.l10n.t('"{0}" holds characters that nobody sees; leave them out.', name),
    device: (name) =>
      vscode.l10n.t('"{0}" is the name of a device on Windows; choose another.', name),
    taken: (name) =>
      vscode.l10n.t(
        'There is something of the name "{0}" beside it already; choose another.',
        name,
      ),
  };
}
