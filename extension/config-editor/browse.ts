import path from 'node:path';
import * as vscode from 'vscode';
import type { BrowseKind } from '../../server/language/config-form.ts';
import { pick } from '../show/quick-input.ts';

/** The kinds of data files that the engine reads. */
const DATA_EXTENSIONS = ['jsonl', 'json', 'csv', 'tsv', 'parquet', 'arrow', 'txt', 'gz', 'zst'];

/**
 * Asks for a file or folder in VS Code's own dialog.
 *
 * @returns the path as it should stand in the configuration, a list of several, or undefined when
 *   the dialog was closed
 */
export async function browse(
  document: vscode.TextDocument,
  kind: BrowseKind,
): Promise<string | readonly string[] | undefined> {
  const chosen = await chooseFiles(kind, path.dirname(document.uri.fsPath));
  const paths = chosen?.map((uri) => writtenPath(document, uri));
  return paths?.length === 1 ? paths[0] : paths;
}

/**
 * Asks for files or folders of a kind.
 *
 * @param folder where the dialog opens
 * @param title what they are for, where that is not plain
 * @returns undefined when the dialog was closed
 */
export async function chooseFiles(
  kind: BrowseKind,
  folder: string,
  title?: string,
): Promise<readonly vscode.Uri[] | undefined> {
  const titled = title === undefined ? {} : { title };
  const options = await dialogOptions(kind, titled);
  if (options === undefined) return undefined;
  const defaultUri = vscode.Uri.file(folder);
  return vscode.window.showOpenDialog({ defaultUri, ...titled, ...options });
}

async function dialogOptions(
  kind: BrowseKind,
  titled: { readonly title?: string },
): Promise<vscode.OpenDialogOptions | undefined> {
  const folders = { canSelectFolders: true, canSelectFiles: false };
  switch (kind) {
    case 'folder':
      return { ...folders, openLabel: vscode.l10n.t('Use Folder') };
    case 'data':
      return {
        canSelectMany: true,
        openLabel: vscode.l10n.t('Use as Data'),
        filters: { [vscode.l10n.t('Data files')]: DATA_EXTENSIONS },
      };
    case 'template':
      return {
        openLabel: vscode.l10n.t('Use Template'),
        filters: { [vscode.l10n.t('Chat templates')]: ['jinja'] },
      };
    case 'model':
      // The dialogs of Windows and Linux choose files or folders, never both.
      switch (await askForModelKind(titled)) {
        case 'folder':
          return { ...folders, openLabel: vscode.l10n.t('Use Model') };
        case 'file':
          return { openLabel: vscode.l10n.t('Use Model'), filters: { GGUF: ['gguf'] } };
        default:
          return undefined;
      }
  }
}

async function askForModelKind(titled: {
  readonly title?: string;
}): Promise<'folder' | 'file' | undefined> {
  const folder = {
    label: vscode.l10n.t('Model folder'),
    description: vscode.l10n.t('Hugging Face format: config.json, safetensors, tokenizer'),
  };
  const file = { label: vscode.l10n.t('GGUF file'), description: '*.gguf' };
  const chosen = await pick([folder, file], titled);
  return chosen && (chosen === folder ? 'folder' : 'file');
}

/**
 * Relative to the configuration where both lie in the same workspace folder, so that the folder can
 * be moved and shared; absolute elsewhere. With forward slashes, which every system reads.
 */
function writtenPath(document: vscode.TextDocument, chosen: vscode.Uri): string {
  const folder = path.dirname(document.uri.fsPath);
  const root = vscode.workspace.getWorkspaceFolder(document.uri)?.uri.fsPath ?? folder;
  const fromRoot = path.relative(root, chosen.fsPath);
  const isOutside = fromRoot.startsWith('..') || path.isAbsolute(fromRoot);
  const written = isOutside ? chosen.fsPath : path.relative(folder, chosen.fsPath) || '.';
  return written.replaceAll(path.sep, '/');
}
