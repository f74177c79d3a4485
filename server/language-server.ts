import { fileURLToPath } from 'node:url';
import {
  createConnection,
  type InitializeResult,
  ProposedFeatures,
  ResponseError,
  TextDocumentSyncKind,
  TextDocuments,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { configDiagnostics } from './language/config-diagnostics.ts';
import { createConfigLanguage } from './language/config-language.ts';
import { serveModels } from './model-requests.ts';
import { initializationOptions } from './protocol.ts';
import { serveRuns } from './run-requests.ts';
import { defaultRegistryFolder, RunRegistry } from './runs/run-registry.ts';

/**
 * The process behind one VS Code window, started by the extension over IPC and restartable at any
 * time: it keeps nothing that cannot be read again from files and open documents.
 */
const connection = createConnection(ProposedFeatures.all);
const documents = new TextDocuments(TextDocument);
const language = createConfigLanguage();

/** The name of this server in diagnostics and logs. */
const SERVER_NAME = 'LoRA-FA';

connection.onInitialize((params): InitializeResult | ResponseError<{ retry: boolean }> => {
  if (!initializationOptions.safeParse(params.initializationOptions).success) {
    return new ResponseError(
      -32602,
      'The LoRA-FA extension was updated while this window was open; reload the window.',
      { retry: false },
    );
  }
  serveBackground((params.workspaceFolders ?? []).map(({ uri }) => uri));
  return {
    serverInfo: { name: SERVER_NAME },
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental,
      completionProvider: { triggerCharacters: ['"', ':'] },
      hoverProvider: true,
    },
  };
});

/** Runs and models: all that computes, in processes of its own whose programs lie beside this one. */
function serveBackground(folderUris: readonly string[]): void {
  const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const workspaceFolders = folderUris
    .filter((uri) => uri.startsWith('file:'))
    .map((uri) => fileURLToPath(uri));
  const runs = serveRuns(connection, {
    workspaceFolders,
    registry: new RunRegistry(defaultRegistryFolder()),
    trainerScript: program('./trainer.js'),
  });
  const generators = serveModels(connection, {
    workspaceFolders,
    generatorScript: program('./generator.js'),
    cliScript: program('./cli.js'),
  });
  connection.onShutdown(async () => {
    runs.dispose();
    await generators.dispose();
  });
}

documents.onDidChangeContent(({ document }) => {
  void connection.sendDiagnostics({
    uri: document.uri,
    version: document.version,
    diagnostics: configDiagnostics(document, SERVER_NAME),
  });
});

documents.onDidClose(({ document }) => {
  void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
});

connection.onCompletion(({ textDocument, position }) => {
  const document = documents.get(textDocument.uri);
  return document === undefined ? null : language.complete(document, position);
});

connection.onHover(({ textDocument, position }) => {
  const document = documents.get(textDocument.uri);
  return document === undefined ? null : language.hover(document, position);
});

documents.listen(connection);
connection.listen();
