import * as vscode from 'vscode';
import { showError } from '../show/notifications.ts';
import { settleForms } from './open-forms.ts';

/**
 * Brings a configuration onto the disk as it is on the screen, in forms as in text editors: what
 * works on it reads it there.
 *
 * @returns false where it could not be saved, which the user is told
 */
export async function saveConfig(file: vscode.Uri): Promise<boolean> {
  if (!(await isSettled(file))) return false;
  const document = vscode.workspace.textDocuments.find(({ uri }) => String(uri) === String(file));
  const name = vscode.workspace.asRelativePath(file);
  if (document !== undefined && !(await isOnDisk(file))) {
    void showError(
      vscode.l10n.t(
        '{0} was deleted, moved or renamed: save it to have it there again as it is here, or close it.',
        name,
      ),
      { title: vscode.l10n.t('Save'), run: () => write(document) },
    );
    return false;
  }
  if (document === undefined || !document.isDirty || (await document.save())) return true;
  void showError(vscode.l10n.t('{0} could not be saved, so that nothing was done with it.', name));
  return false;
}

/** Whether what was typed in the forms of a file stands in its document; if not, the user is told. */
export async function isSettled(file: vscode.Uri): Promise<boolean> {
  try {
    await settleForms(file);
    return true;
  } catch (error) {
    void showError(error instanceof Error ? error.message : String(error));
    return false;
  }
}

function isOnDisk(file: vscode.Uri): Thenable<boolean> {
  return vscode.workspace.fs.stat(file).then(
    () => true,
    () => false,
  );
}

/** Writes a text whose file is gone; VS Code itself saves none that has no changes. */
async function write(document: vscode.TextDocument): Promise<void> {
  if (document.isDirty) await document.save();
  else await vscode.workspace.fs.writeFile(document.uri, Buffer.from(document.getText()));
}
