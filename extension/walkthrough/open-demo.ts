import * as vscode from 'vscode';
import { demoConfigForUser } from './demo-config.ts';
import { tick } from './tick.ts';

/** Name of the folder that the demo is copied into, inside the user's. */
const DEMO_FOLDER = 'lorafa-demo';
const CONFIG_NAME = 'demo.lorafa.json';
/** The parts of the demo that a run needs, besides its configuration. */
const PARTS = ['base', 'data'];

/** The walkthrough, by which VS Code knows it. */
const WALKTHROUGH = 'lorafa.lorafa#firstModel';

/** Path of a configuration that is opened by the window in which its folder is. */
const OPENED_NEXT = 'lorafa.openedNext';

/** What the demo is opened with. */
export type DemoContext = Pick<vscode.ExtensionContext, 'extensionUri' | 'globalState'>;

/**
 * Copies the demo (a very small base model, its data and a configuration) into the user's folder and
 * opens the configuration. A demo that is there already is opened as it is.
 *
 * @throws vscode.FileSystemError where the folder cannot be written
 */
export async function openDemo({ extensionUri, globalState }: DemoContext): Promise<void> {
  const open = vscode.workspace.workspaceFolders?.[0]?.uri;
  const parent = open ?? (await chooseFolder());
  if (parent === undefined) return;
  const target = vscode.Uri.joinPath(parent, DEMO_FOLDER);
  const config = vscode.Uri.joinPath(target, CONFIG_NAME);
  if (!(await exists(config))) {
    await copyDemo(demoSource(extensionUri), target);
  }
  tick('demo');
  if (open !== undefined) {
    // Not in the place of the walkthrough, which goes on.
    await vscode.commands.executeCommand('vscode.open', config, { preview: false });
    return;
  }
  // Without a folder VS Code starts anew with this one.
  await globalState.update(OPENED_NEXT, config.fsPath);
  await vscode.commands.executeCommand('vscode.openFolder', target);
}

/** Opens the demo that this window was started anew for, if it was. */
export async function openDemoOfNewWindow({ globalState }: DemoContext): Promise<void> {
  const file = globalState.get<string>(OPENED_NEXT);
  if (file === undefined) return;
  const config = vscode.Uri.file(file);
  if (vscode.workspace.getWorkspaceFolder(config) === undefined) return;
  await globalState.update(OPENED_NEXT, undefined);
  // What led here went with the window that was there before, and stays one click away.
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', WALKTHROUGH, false);
  await vscode.commands.executeCommand('vscode.open', config, { preview: false });
}

/** The demo's base model alone, in a folder, beside the demo if that is there. */
export interface DemoBase {
  /** Where it lies once it was copied. */
  readonly path: string;
  copy(): Promise<void>;
}

/** See {@link DemoBase}. */
export function demoBaseIn(folder: vscode.Uri, extensionUri: vscode.Uri): DemoBase {
  const target = vscode.Uri.joinPath(folder, DEMO_FOLDER);
  return {
    path: vscode.Uri.joinPath(target, 'base').fsPath,
    copy: async () => {
      await vscode.workspace.fs.createDirectory(target);
      await copyPart('base', demoSource(extensionUri), target);
    },
  };
}

function demoSource(extensionUri: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(extensionUri, 'media', 'demo');
}

function copyPart(part: string, source: vscode.Uri, target: vscode.Uri): Thenable<void> {
  const [from, to] = [vscode.Uri.joinPath(source, part), vscode.Uri.joinPath(target, part)];
  return vscode.workspace.fs.copy(from, to, { overwrite: true });
}

async function copyDemo(source: vscode.Uri, target: vscode.Uri): Promise<void> {
  const { fs } = vscode.workspace;
  await fs.createDirectory(target);
  for (const part of PARTS) await copyPart(part, source, target);
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
