import type { Diagnostic, TextEdit } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { ConfigFixes, TextChange } from '../protocol/configurations.ts';
import { configActions } from './config-actions.ts';
import { plainAction, plainDiagnostic } from './plain-features.ts';

/** The quick fixes of problems as the form shows them: with the problem that each is for. */
export function configFixes(
  document: TextDocument,
  diagnostics: readonly Diagnostic[],
): ConfigFixes {
  return {
    version: document.version,
    problems: diagnostics.map((diagnostic) => ({
      message: plainDiagnostic(diagnostic).message,
      start: diagnostic.range.start,
      fixes: configActions(document, [diagnostic])
        .map(plainAction)
        .map(({ title, edit, command }) => {
          const [change] = edit?.changes?.[document.uri] ?? [];
          return {
            title,
            edit: change === undefined ? null : textChange(change),
            command:
              command === undefined
                ? null
                : { id: command.command, arguments: command.arguments ?? [] },
          };
        }),
    })),
  };
}

/** An edit as our own messages have it. */
export function textChange({ range, newText }: TextEdit): TextChange {
  return { start: range.start, end: range.end, text: newText };
}
