import * as vscode from 'vscode';
import type { CommandId } from './ids.ts';

/** What each command does when it is run from the palette, a menu, a key or a link. */
export type CommandTable = Readonly<
  Partial<Record<CommandId, (...args: readonly unknown[]) => unknown>>
>;

/** Registers every command of the table until the context is disposed of. */
export function registerCommands(context: vscode.ExtensionContext, table: CommandTable): void {
  for (const [id, run] of Object.entries(table)) {
    context.subscriptions.push(vscode.commands.registerCommand(id, run));
  }
}
