import { fileURLToPath } from 'node:url';
import { createScanner } from 'jsonc-parser';
import { type Diagnostic, DiagnosticSeverity, type Range } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { ConfigProblem } from '../../engine/config/config-error.ts';
import { checkConfig } from '../../engine/config/parse.ts';

/**
 * The problems of an open run configuration, as marks under the keys and values that they are
 * about. Broken JSON is left to the editor: VS Code's own JSON support marks it already, and two
 * marks that say the same thing help nobody.
 *
 * @param document a `*.lorafa.json` file as it is in the editor, saved or not
 * @param source who speaks, shown behind each message
 */
export function configDiagnostics(document: TextDocument, source: string): Diagnostic[] {
  const { problems } = checkConfig(document.getText(), fileURLToPath(document.uri));
  return problems
    .filter(({ code }) => code !== 'config.syntax')
    .map((problem) => ({
      range: problemRange(document, problem),
      message: capitalized(problem.message),
      severity: DiagnosticSeverity.Error,
      code: problem.code,
      source,
    }));
}

/** The key or value that stands where the problem was found: one JSON token. */
function problemRange(document: TextDocument, { line = 1, column = 1 }: ConfigProblem): Range {
  const start = { line: line - 1, character: column - 1 };
  const scanner = createScanner(document.getText());
  scanner.setPosition(document.offsetAt(start));
  scanner.scan();
  return { start, end: document.positionAt(scanner.getPosition()) };
}

/** Messages begin in lower case, for use after `file:line:`; in a list of problems they begin a line. */
function capitalized(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}
