import * as vscode from 'vscode';
import { demoConfigForUser } from './demo-config.ts';

/** Name of the folder that the demo is copied into, inside the user's. */
const DEMO_FOLDER = 'lorafa-demo';
const CONFIG_NAME = 'demo.lorafa.json';
/** The parts of the demo that a run needs, besides its configuration. */
const PARTS = ['base', 'data'];

/**
 * Copies the demo (a very small base model, its data and a configuration) into the user's folder and
 * opens the configuration. A demo that is there already is opened as it is.
 *
 * @throws vscode.FileSystemError where the folder cannot be written
 */
export async function openDemo(extensionUri: vscode.Uri): Promise<void> {
  const open = vscode.workspace.workspaceFolders?.[0]?.uri;
  const parent = open ?? (await chooseFolder());
  if (parent === undefined) return;
  const target = vscode.Uri.joinPath(parent, DEMO_FOLDER);
  const config = vscode.Uri.joinPath(target, CONFIG_NAME);
  if (!(await exists(config))) {
    await copyDemo(vscode.Uri.joinPath(extensionUri, 'media', 'demo'), target);
  }
  // Without a folder VS Code starts anew with this one.
  if (open === undefined) await vscode.commands.executeCommand('vscode.openFolder', target);
  else await vscode.commands.executeCommand('vscode.open', config);
}

async function copyDemo(source: vscode.Uri, target: vscode.Uri): Promise<void> {
  const { fs } = vscode.workspace;
  await fs.createDirectory(target);
  for (const part of PARTS) {
    await fs.copy(vscode.Uri.joinPath(source, part), vscode.Uri.joinPath(target, part), {
      overwrite: true,
    });
  }
  const text = new TextDecoder().decode(
    await fs.readFile(vscode.Uri.joinPath(source, CONFIG_NAME)),
  );
  // Last: where it is, the demo is complete.
  await fs.writeFile(
    vscode.Uri.joinPath(target, CONFIG_NAME),
    new TextEncoder().encode(demoConfigForUser(text)),
  );
}

async function chooseFolder(): Promise<vscode.Uri | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectFolders: true,
    canSelectFiles: false,
    title: vscode.l10n.t('Choose where the folder {0} is made', DEMO_FOLDER),
    openLabel: vscode.l10n.t('Put the Demo Here'),
  });
  return chosen?.[0];
}

function exists(uri: vscode.Uri): Thenable<boolean> {
  return vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
}
