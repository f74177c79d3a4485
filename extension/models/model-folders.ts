import * as vscode from 'vscode';
import { SETTINGS, SETTINGS_SECTION } from '../ids.ts';

/** Where the user keeps base models, besides the workspace and the Hugging Face cache. */
export function modelFolders(): readonly string[] {
  return vscode.workspace
    .getConfiguration(SETTINGS_SECTION)
    .get<readonly string[]>(SETTINGS.modelFolders, []);
}
