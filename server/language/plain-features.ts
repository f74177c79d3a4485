import type { CodeAction, CompletionItem, Diagnostic } from 'vscode-languageserver';
import { plainLine, withoutIcons } from '../plain-text.ts';

/** What language features say about the user's files, as the editor may show it. */

/** Characters of a problem's message, which quotes values of the file. */
const MESSAGE_LIMIT = 2_000;
/** Characters of a line to choose. */
const LABEL_LIMIT = 200;

/** A problem as plain text: the editor reads nothing else into messages. */
export function plainDiagnostic(diagnostic: Diagnostic): Diagnostic & { message: string } {
  return { ...diagnostic, message: plainLine(String(diagnostic.message), MESSAGE_LIMIT) };
}

/** A quick fix whose title quotes keys and values. */
export function plainAction(action: CodeAction): CodeAction {
  return { ...action, title: plainLine(action.title, LABEL_LIMIT) };
}

/** A suggestion that looks like what it inserts; in its label `$(name)` would be an icon. */
export function plainCompletion(item: CompletionItem): CompletionItem {
  const label = withoutIcons(plainLine(item.label, LABEL_LIMIT));
  if (label === item.label) return item;
  // Both are the label where they are missing.
  const { filterText = item.label, insertText = item.label } = item;
  return { ...item, label, filterText, ...(item.textEdit === undefined && { insertText }) };
}
