import * as vscode from 'vscode';
import { PRODUCT_NAME } from '../ids.ts';
import type { TextProblem } from './form-state.ts';
import type { FormFix } from './messages.ts';

/** Asks for the quick fixes of a configuration, by the problems that they are for. */
export async function findFixes(
  document: vscode.TextDocument,
): Promise<(problem: Pick<TextProblem, 'offset' | 'message'>) => readonly FormFix[]> {
  const fixes = (await actionsOf(document)).flatMap((action) =>
    (action.diagnostics ?? []).map(({ range, message }) => ({
      problem: `${document.offsetAt(range.start)} ${message}`,
      fix: { id: idOf(action), title: action.title },
    })),
  );
  return ({ offset, message }) =>
    fixes.filter(({ problem }) => problem === `${offset} ${message}`).map(({ fix }) => fix);
}

/** Does what a quick fix says, on the document as it is now; nothing when it is no longer offered. */
export async function applyFix(document: vscode.TextDocument, id: string): Promise<void> {
  const action = (await actionsOf(document)).find((each) => idOf(each) === id);
  if (action === undefined) return;
  if (action.edit !== undefined) await vscode.workspace.applyEdit(action.edit);
  const { command } = action;
  if (command === undefined) return;
  await vscode.commands.executeCommand(command.command, ...(command.arguments ?? []));
}

/** Other extensions offer fixes for every problem, which open in a text editor. */
async function actionsOf(document: vscode.TextDocument): Promise<readonly vscode.CodeAction[]> {
  const all = new vscode.Range(0, 0, document.lineCount, 0);
  const actions = await vscode.commands.executeCommand<
    readonly (vscode.CodeAction | vscode.Command)[]
  >('vscode.executeCodeActionProvider', document.uri, all);
  return actions.filter(
    (action): action is vscode.CodeAction =>
      action instanceof vscode.CodeAction &&
      action.diagnostics?.[0]?.source === PRODUCT_NAME &&
      (action.edit !== undefined || action.command?.command.startsWith('lorafa.') === true),
  );
}

function idOf({ title, diagnostics }: vscode.CodeAction): string {
  return JSON.stringify([diagnostics?.[0]?.message, title]);
}
