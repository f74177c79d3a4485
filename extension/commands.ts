import * as vscode from 'vscode';
import { COMMANDS, type CommandId } from './ids.ts';
import { tellUntrusted } from './trust.ts';

/** What each command does when it is run from the palette, a menu, a key or a link. */
export type CommandTable = Readonly<
  Partial<Record<CommandId, (...args: readonly unknown[]) => unknown>>
>;

/** Whether a view has called a command for a row: who goes through its rows by keyboard stays there. */
export function keepsFocus(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'preserveFocus' in options;
}

/** What neither reads the folder's files, nor writes any, nor starts a process. */
const WITHOUT_TRUST: ReadonlySet<string> = new Set([
  COMMANDS.openAsForm,
  COMMANDS.openAsText,
  COMMANDS.alwaysForm,
  COMMANDS.alwaysText,
  COMMANDS.doctor,
  COMMANDS.showLogs,
]);

/**
 * Registers every command of the table until the context is disposed of. In a folder that is not
 * trusted most are refused: the manifest disables them in menus alone, and whoever knows a command's
 * name can run it.
 */
export function registerCommands(context: vscode.ExtensionContext, table: CommandTable): void {
  for (const [id, run] of Object.entries(table)) {
    const action = (...args: readonly unknown[]): unknown =>
      vscode.workspace.isTrusted || WITHOUT_TRUST.has(id) ? run(...args) : tellUntrusted();
    context.subscriptions.push(vscode.commands.registerCommand(id, action));
  }
}
