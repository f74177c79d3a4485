import * as vscode from 'vscode';
import {
  type ConfigFix,
  listFixes,
  type TextChange,
} from '../../server/protocol/configurations.ts';
import type { ServerLink } from '../server-link.ts';
import type { TextProblem } from './form-state.ts';
import type { FormFix } from './messages.ts';

/** The fixes of a problem, by what it says and where. */
export type FixesOf = (problem: Pick<TextProblem, 'offset' | 'message'>) => readonly FormFix[];

/** Asks for the quick fixes of an open configuration. */
export async function findFixes(
  server: ServerLink,
  document: vscode.TextDocument,
): Promise<FixesOf> {
  const { problems } = await server.ask(listFixes, { uri: String(document.uri) });
  return ({ offset, message }) =>
    problems
      .filter(
        (each) =>
          each.message === message &&
          document.offsetAt(new vscode.Position(each.start.line, each.start.character)) === offset,
      )
      .flatMap((each) => each.fixes.map((fix) => ({ id: idOf(each, fix), title: fix.title })));
}

/** Does what a quick fix says, on the document as it is now; nothing when it is no longer offered. */
export async function applyFix(
  server: ServerLink,
  document: vscode.TextDocument,
  id: string,
): Promise<void> {
  const { version, problems } = await server.ask(listFixes, { uri: String(document.uri) });
  const fix = problems
    .flatMap((each) => each.fixes.map((one) => ({ id: idOf(each, one), one })))
    .find((each) => each.id === id)?.one;
  if (fix === undefined || version !== document.version) return;
  if (fix.edit !== null && !(await changeText(document.uri, fix.edit))) return;
  if (fix.command === null) return;
  await vscode.commands.executeCommand(fix.command.id, ...fix.command.arguments);
}

/** Makes a change of a text; false where VS Code refuses it. */
export function changeText(file: vscode.Uri, { start, end, text }: TextChange): Thenable<boolean> {
  const edit = new vscode.WorkspaceEdit();
  edit.replace(file, new vscode.Range(start.line, start.character, end.line, end.character), text);
  return vscode.workspace.applyEdit(edit);
}

function idOf({ message }: { readonly message: string }, { title }: ConfigFix): string {
  return JSON.stringify([message, title]);
}
