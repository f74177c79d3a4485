import { type CodeAction, CodeActionKind, type Diagnostic } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import * as z from 'zod/mini';
import type { DiagnosticData } from './config-diagnostics.ts';
import { remedyEdit, remedyTitle } from './remedy-edits.ts';

const path = z.array(z.union([z.string(), z.number()]));

/** {@link DiagnosticData} as it comes back from the client. */
const dataSchema: z.ZodMiniType<DiagnosticData> = z.object({
  path,
  remedies: z.array(
    z.union([
      z.object({
        kind: z.literal('set'),
        values: z.array(z.object({ path, value: z.unknown() })),
        title: z.exactOptional(z.string()),
      }),
      z.object({ kind: z.literal('rename'), path, to: path }),
      z.object({ kind: z.literal('remove'), path }),
    ]),
  ),
});

/** Quick fixes for problems of a configuration: of each the likeliest first. */
export function configActions(
  document: TextDocument,
  diagnostics: readonly Diagnostic[],
): CodeAction[] {
  return diagnostics.flatMap((diagnostic) => {
    const data = dataSchema.safeParse(diagnostic.data);
    if (!data.success) return [];
    return data.data.remedies.flatMap((remedy, index): CodeAction[] => {
      const edit = remedyEdit(document, remedy);
      if (edit === undefined) return [];
      return [
        {
          title: remedyTitle(remedy, data.data.path),
          kind: CodeActionKind.QuickFix,
          diagnostics: [diagnostic],
          // What takes something away is never done without a look at it.
          isPreferred: index === 0 && remedy.kind !== 'remove',
          edit: { changes: { [document.uri]: [edit] } },
        },
      ];
    });
  });
}
