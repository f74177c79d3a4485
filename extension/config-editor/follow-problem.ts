import * as vscode from 'vscode';
import { pathAtOffset, readTree } from '../../server/language/json-path.ts';
import { formsOf } from './open-forms.ts';

/**
 * Shows the field of the problem that is chosen in the Problems view while the form is in front.
 * VS Code opens the file there with a selection, of which it tells text editors alone; but it asks
 * for the quick fixes of just that problem, the first time that the row is chosen.
 */
export function followProblem(
  document: vscode.TextDocument,
  range: vscode.Range,
  { only, diagnostics }: vscode.CodeActionContext,
): void {
  const isOfProblem =
    only?.value === vscode.CodeActionKind.QuickFix.value &&
    diagnostics.some((diagnostic) => diagnostic.range.isEqual(range));
  // With a text editor in sight, its light bulb asks as well.
  const isInText = vscode.window.visibleTextEditors.some((editor) => editor.document === document);
  if (!isOfProblem || isInText) return;
  const { root } = readTree(document.getText());
  const path = pathAtOffset(root, document.offsetAt(range.start));
  for (const form of formsOf(document.uri)) if (form.isVisible) form.follow(path);
}
