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
import { findRunFolders } from './discovery/find-runs.ts';
import { serveEstimates } from './estimate-requests.ts';
import { InspectorClient } from './language/inspection/inspector-client.ts';
import { LANGUAGE_CAPABILITIES, serveLanguage } from './language/language-features.ts';
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
  const inspectorScript = program('./inspector-thread.js');
  serveLanguage(connection, documents, {
    inspector: new InspectorClient(inspectorScript),
    source: SERVER_NAME,
    canRefreshHints: params.capabilities.workspace?.inlayHint?.refreshSupport === true,
  });
  serveEstimates(connection, inspectorScript);
  serveBackground((params.workspaceFolders ?? []).map(({ uri }) => uri));
  return {
    serverInfo: { name: SERVER_NAME },
    capabilities: {
      textDocumentSync: {
        openClose: true,
        change: TextDocumentSyncKind.Incremental,
        save: true,
      },
      ...LANGUAGE_CAPABILITIES,
    },
  };
});

/** Path of a program that lies beside this one. */
function program(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Runs and models: all that computes, in processes of its own whose programs lie beside this one. */
function serveBackground(folderUris: readonly string[]): void {
  const workspaceFolders = folderUris
    .filter((uri) => uri.startsWith('file:'))
    .map((uri) => fileURLToPath(uri));
  const registry = new RunRegistry(defaultRegistryFolder());
  const runs = serveRuns(connection, {
    workspaceFolders,
    registry,
    trainerScript: program('./trainer.js'),
  });
  const generators = serveModels(connection, {
    workspaceFolders,
    runFolders: () => findRunFolders(workspaceFolders, registry),
    generatorScript: program('./generator.js'),
    cliScript: program('./cli.js'),
  });
  connection.onShutdown(async () => {
    runs.dispose();
    await generators.dispose();
  });
}

documents.listen(connection);
connection.listen();
