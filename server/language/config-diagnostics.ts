import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createScanner } from 'jsonc-parser';
import { type Diagnostic, DiagnosticSeverity, type Range } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { type ConfigPath, formatPath } from '../../engine/config/config-error.ts';
import { readJsonc } from '../../engine/config/jsonc-document.ts';
import { checkConfig } from '../../engine/config/parse.ts';
import { pathsFrom } from '../relative-paths.ts';
import type { Finding, FindingRemedy, Severity } from './inspection/finding.ts';
import { capitalized } from './words.ts';

/** What a diagnostic carries to the client and back, for the quick fixes. */
export interface DiagnosticData {
  /** Where in the configuration the problem lies. */
  readonly path: ConfigPath;
  readonly remedies: readonly FindingRemedy[];
}

/** Both numbers count from 1. */
interface Place {
  readonly line?: number;
  readonly column?: number;
}

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
};

/**
 * The problems of an open run configuration, as marks under the keys and values that they are
 * about. Broken JSON is left to the editor: VS Code's own JSON support marks it already, and two
 * marks that say the same thing help nobody. Whoever asks outside of the editor can have it.
 *
 * @param document a `*.lorafa.json` file as it is in the editor, saved or not
 * @param source who speaks, shown behind each message
 * @param findings what was found in the files that it names, perhaps for the text as it was before
 */
export function configDiagnostics(
  document: TextDocument,
  source: string,
  findings: readonly Finding[] = [],
  { withSyntax = false }: { readonly withSyntax?: boolean } = {},
): Diagnostic[] {
  const file = fileURLToPath(document.uri);
  const folders = [{ name: '', path: path.dirname(file) }];
  const text = document.getText();
  const problems = checkConfig(text, file)
    .problems.filter(({ code }) => withSyntax || code !== 'config.syntax')
    .map(({ about, ...problem }) => ({ ...problem, ...about, severity: 'error' as const }));
  const jsonc = readJsonc(text, file);
  // A value that is wrong in itself is not judged by the files as well.
  const wrong = new Set(problems.map((problem) => 'path' in problem && formatPath(problem.path)));
  const found = findings.filter(
    ({ path }) => jsonc.value !== undefined && !wrong.has(formatPath(path)),
  );
  return [
    ...problems,
    ...found.map((each) => ({ ...each, ...jsonc.locate(each.path, each.part) })),
  ].map((problem) => ({
    range: tokenRange(document, problem),
    // Files as the configuration names them: an absolute path would hide what is wrong with it.
    message: capitalized(pathsFrom(problem.message, folders)),
    severity: SEVERITIES[problem.severity],
    code: problem.code,
    source,
    ...('path' in problem && {
      data: {
        path: problem.path,
        remedies: problem.remedies ?? [],
      } satisfies DiagnosticData,
    }),
  }));
}

/** The key or value that stands at a place: one JSON token. */
function tokenRange(document: TextDocument, { line = 1, column = 1 }: Place): Range {
  const start = { line: line - 1, character: column - 1 };
  const scanner = createScanner(document.getText());
  scanner.setPosition(document.offsetAt(start));
  scanner.scan();
  return { start, end: document.positionAt(scanner.getPosition()) };
}
