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
import { initializationOptions } from './protocol.ts';

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
  return {
    serverInfo: { name: SERVER_NAME },
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental,
      completionProvider: { triggerCharacters: ['"', ':'] },
      hoverProvider: true,
    },
  };
});

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
