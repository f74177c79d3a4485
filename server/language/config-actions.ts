import {
  type CodeAction,
  CodeActionKind,
  type Command,
  type Diagnostic,
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import * as z from 'zod/mini';
import { SERVER_COMMANDS } from '../command-ids.ts';
import type { DiagnosticData } from './config-diagnostics.ts';
import { remedyEdit, remedyTitle } from './remedy-edits.ts';
import { type RunRemedy, runRemedySchema } from './run-remedy.ts';

const path = z.array(z.union([z.string(), z.number()]));

/** {@link DiagnosticData} as it comes back from the client. */
const dataSchema: z.ZodMiniType<DiagnosticData> = z.object({
  path,
  remedies: z.array(
    z.union([
      z.object({
        kind: z.literal('set'),
        values: z.array(z.object({ path, value: z.unknown() })),
        removes: z.exactOptional(z.array(path)),
        title: z.exactOptional(z.string()),
      }),
      z.object({ kind: z.literal('rename'), path, to: path }),
      z.object({ kind: z.literal('remove'), path }),
      runRemedySchema,
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
      const command = remedy.kind === 'run' ? runCommand(remedy, document.uri) : undefined;
      if (edit === undefined && command === undefined) return [];
      return [
        {
          title: remedyTitle(remedy, data.data.path),
          kind: CodeActionKind.QuickFix,
          diagnostics: [diagnostic],
          // What takes something away is never done without a look at it.
          isPreferred: index === 0 && (remedy.kind === 'set' || remedy.kind === 'rename'),
          ...(edit !== undefined && { edit: { changes: { [document.uri]: [edit] } } }),
          ...(command !== undefined && { command }),
        },
      ];
    });
  });
}

/** What follows the changes of a remedy. */
function runCommand({ title, step, folder }: RunRemedy, uri: string): Command {
  switch (step) {
    case 'start':
      return { title, command: SERVER_COMMANDS.startRun, arguments: [uri] };
    case 'replace':
      return { title, command: SERVER_COMMANDS.replaceRun, arguments: [uri] };
    case 'resume':
      return { title, command: SERVER_COMMANDS.resumeFromCheckpoint, arguments: [folder] };
  }
}
