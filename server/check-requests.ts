import { pathToFileURL } from 'node:url';
import { type Diagnostic, DiagnosticSeverity } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { readConfigText } from '../engine/config/parse.ts';
import { beginWithAdapter } from './language/begin-with-adapter.ts';
import { configDiagnostics, type DiagnosticData } from './language/config-diagnostics.ts';
import { textChange } from './language/config-fixes.ts';
import type { Inspection } from './language/inspection/config-inspector.ts';
import type { Inspector } from './language/inspection/inspector-client.ts';
import { remedyEdit } from './language/remedy-edits.ts';
import type { RunRemedy } from './language/run-remedy.ts';
import {
  checkRun,
  configWithAdapter,
  type RunCheck,
  type StartWay,
} from './protocol/configurations.ts';
import { type RequestSource, serve } from './rpc/serve.ts';

/**
 * Says what is known against starting a run, from the configuration and the files that it names, and what
 * a configuration is like that trains further.
 */
export function serveChecks(connection: RequestSource, inspector: Inspector): void {
  serve(connection, checkRun, async ({ configFile }, token) => {
    const text = await readConfigText(configFile);
    const inspection = await inspector.inspect(configFile, text, token);
    const uri = pathToFileURL(configFile).href;
    return checkOf(TextDocument.create(uri, 'jsonc', 0, text), inspection);
  });
  serve(connection, configWithAdapter, ({ text, adapter }) => ({
    text: beginWithAdapter(text, adapter),
  }));
}

/** What of an inspection decides whether a run starts. */
export function checkOf(document: TextDocument, { findings }: Inspection): RunCheck {
  // What could not be looked at is no mistake yet: the run itself takes its time.
  const known = findings.filter(({ code }) => code !== 'inspection.ended');
  const diagnostics = configDiagnostics(document, '', known, { withSyntax: true });
  return {
    problems: diagnostics
      .filter(({ severity }) => severity === DiagnosticSeverity.Error)
      .map((diagnostic) => ({
        message: String(diagnostic.message),
        path: dataOf(diagnostic)?.path ?? [],
        ...diagnostic.range,
      })),
    occupied:
      diagnostics.map((diagnostic) => occupiedBy(document, diagnostic)).find(Boolean) ?? null,
  };
}

function occupiedBy(document: TextDocument, diagnostic: Diagnostic): RunCheck['occupied'] {
  const remedies = (dataOf(diagnostic)?.remedies ?? []).filter(({ kind }) => kind === 'run');
  const [first] = remedies as readonly RunRemedy[];
  if (first === undefined) return null;
  return {
    folder: first.folder,
    ways: (remedies as readonly RunRemedy[]).map((remedy) => startWay(document, remedy)),
  };
}

function startWay(document: TextDocument, remedy: RunRemedy): StartWay {
  const { title, detail, step } = remedy;
  const edit = remedyEdit(document, remedy);
  return { title, detail, step, edit: edit === undefined ? null : textChange(edit) };
}

function dataOf({ data }: Diagnostic): DiagnosticData | undefined {
  return data as DiagnosticData | undefined;
}
