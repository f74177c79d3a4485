import path from 'node:path';
import { findNodeAtLocation, getNodeValue } from 'jsonc-parser';
import * as vscode from 'vscode';
import { readTree } from '../../server/language/json-path.ts';
import { COMMANDS, CONFIG_FILE_PATTERN } from '../ids.ts';
import { showInformation } from '../show/notifications.ts';
import { pickFile } from '../show/pick-file.ts';

/** The keys that name data files. */
const DATA_KEYS = ['dataset_name_or_path', 'eval_dataset_name_or_path'];

/** Whether a file is a run configuration. */
export function isConfigFile(file: vscode.Uri): boolean {
  return file.path.endsWith(CONFIG_FILE_PATTERN.slice(1));
}

/**
 * The configuration of the workspace that trains on a data file: the only one, or the user's choice.
 * Where there is none, one can be made.
 */
export async function configOfData(
  data: vscode.Uri,
  title: string,
): Promise<vscode.Uri | undefined> {
  const files = await vscode.workspace.findFiles(`**/${CONFIG_FILE_PATTERN}`, '**/node_modules/**');
  const naming: vscode.Uri[] = [];
  for (const file of files) {
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
    if (dataFilesOf(text, path.dirname(file.fsPath)).includes(data.fsPath)) naming.push(file);
  }
  if (naming.length === 0) {
    const message = vscode.l10n.t(
      'No run configuration uses {0} yet; it says with which model the rows are read.',
      vscode.workspace.asRelativePath(data),
    );
    void showInformation(message, {
      title: vscode.l10n.t('New Run Configuration…'),
      run: () => vscode.commands.executeCommand(COMMANDS.newConfigurationFromData, data),
    });
    return undefined;
  }
  return naming.length === 1 ? naming[0] : pickFile(naming, title);
}

/**
 * The data files that the text of a configuration names, without the rows that are picked of them.
 *
 * @param folder where relative paths start
 */
export function dataFilesOf(text: string, folder: string): readonly string[] {
  const { root } = readTree(text);
  if (root === undefined) return [];
  const names = DATA_KEYS.flatMap((key) => {
    const node = findNodeAtLocation(root, ['data', key]);
    return node === undefined ? [] : ([getNodeValue(node)].flat() as unknown[]);
  });
  return names
    .filter((name) => typeof name === 'string')
    .map((name) => path.resolve(folder, name.replace(/\[[^[\]]*\]$/, '')));
}
