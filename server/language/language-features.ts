import { setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';
import {
  CancellationTokenSource,
  CodeActionKind,
  type Connection,
  type ServerCapabilities,
  type TextDocumentIdentifier,
  TextDocumentSyncKind,
  type TextDocuments,
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { refusal } from '../../engine/config/jsonc-tree.ts';
import { messageOf } from '../../engine/errors.ts';
import { listFixes } from '../protocol/configurations.ts';
import { serve } from '../rpc/serve.ts';
import { configActions } from './config-actions.ts';
import { configDiagnostics } from './config-diagnostics.ts';
import { configFixes } from './config-fixes.ts';
import { configHints } from './config-hints.ts';
import { createConfigLanguage } from './config-language.ts';
import { configLenses } from './config-lenses.ts';
import type { Inspection } from './inspection/config-inspector.ts';
import type { Inspector } from './inspection/inspector-client.ts';
import { plainAction, plainCompletion, plainDiagnostic } from './plain-features.ts';
import { valueCompletions } from './value-completions.ts';

/** What {@link serveLanguage} answers, as the client is told. */
export const LANGUAGE_CAPABILITIES: ServerCapabilities = {
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
  completionProvider: { triggerCharacters: ['"', ':', '/', '{'] },
  hoverProvider: true,
  codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
  codeLensProvider: {},
  inlayHintProvider: true,
  workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
};

/** What language features need. */
export interface LanguageOptions {
  readonly inspector: Inspector;
  /** The name of the server in diagnostics. */
  readonly source: string;
  /** Whether the client asks for hints again when it is told to. */
  readonly canRefreshHints: boolean;
  /** Milliseconds without a change after which files are looked at. */
  readonly delay?: number;
}

/** While someone types, files are looked at in the pauses. */
const DELAY_MS = 300;

/**
 * Gives open configurations their diagnostics, and answers what the editor asks about them.
 *
 * @returns what ends the inspections under way, before the connection ends, and what looks at the
 *   files of all open configurations again
 */
export function serveLanguage(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  { inspector, source, canRefreshHints, delay = DELAY_MS }: LanguageOptions,
): { dispose(): void; lookAgain(): void } {
  const language = createConfigLanguage();
  const states = new Map<string, DocumentState>();

  function findingsOf({ uri }: TextDocument): Inspection['findings'] {
    return states.get(uri)?.inspection.findings ?? [];
  }

  function publish(document: TextDocument): void {
    void connection.sendDiagnostics({
      uri: document.uri,
      version: document.version,
      diagnostics: configDiagnostics(document, source, findingsOf(document)).map(plainDiagnostic),
    });
  }

  async function inspect(document: TextDocument, state: DocumentState): Promise<void> {
    const { token } = state.pending;
    try {
      const file = fileURLToPath(document.uri);
      const inspection = await inspector.inspect(file, document.getText(), token);
      if (token.isCancellationRequested) return;
      state.inspection = inspection;
      publish(document);
      if (canRefreshHints) await connection.languages.inlayHint.refresh();
    } catch (error) {
      if (!token.isCancellationRequested) connection.console.error(messageOf(error));
    }
  }

  function inspectSoon(document: TextDocument): void {
    const known = states.get(document.uri);
    known?.cancel();
    const state = new DocumentState(known?.inspection);
    states.set(document.uri, state);
    const timer = setTimeout(() => void inspect(document, state), known === undefined ? 0 : delay);
    state.pending.token.onCancellationRequested(() => clearTimeout(timer));
  }

  documents.onDidChangeContent(({ document }) => {
    publish(document);
    inspectSoon(document);
  });
  // What is saved may be about to be run, and the files may have changed meanwhile.
  documents.onDidSave(({ document }) => inspectSoon(document));
  documents.onDidClose(({ document }) => {
    states.get(document.uri)?.cancel();
    states.delete(document.uri);
    void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
  });

  /** An open document, unless its text is none that the parsers may be given. */
  function readable({ uri }: TextDocumentIdentifier): TextDocument | undefined {
    const document = documents.get(uri);
    return document === undefined || refusal(document.getText()) !== undefined
      ? undefined
      : document;
  }

  connection.onCompletion(async ({ textDocument, position }) => {
    const document = readable(textDocument);
    if (document === undefined) return null;
    const [bySchema, byFiles] = await Promise.all([
      language.complete(document, position),
      // Without what files know, the schema's completions remain.
      valueCompletions(document, position, inspector).catch(() => []),
    ]);
    const items = [...byFiles, ...(bySchema?.items ?? [])].map(plainCompletion);
    return { isIncomplete: false, items };
  });
  connection.onHover(({ textDocument, position }) => {
    const document = readable(textDocument);
    return document === undefined ? null : language.hover(document, position);
  });
  connection.onCodeAction(({ textDocument, context }) => {
    const document = readable(textDocument);
    return document === undefined
      ? null
      : configActions(document, context.diagnostics).map(plainAction);
  });
  serve(connection, listFixes, ({ uri }) => {
    const document = readable({ uri });
    if (document === undefined) return { version: 0, problems: [] };
    return configFixes(document, configDiagnostics(document, source, findingsOf(document)));
  });
  connection.onCodeLens(({ textDocument }) =>
    documents.get(textDocument.uri) === undefined ? null : configLenses(textDocument.uri),
  );
  connection.languages.inlayHint.on(({ textDocument, range }) => {
    const document = readable(textDocument);
    const inspection = states.get(textDocument.uri)?.inspection;
    return document === undefined || inspection === undefined
      ? null
      : configHints(document, range, inspection);
  });

  return {
    lookAgain: () => {
      for (const document of documents.all()) inspectSoon(document);
    },
    dispose: () => {
      for (const state of states.values()) state.cancel();
    },
  };
}

/** What is known of an open document, and the inspection under way. */
class DocumentState {
  /** The newest there is, perhaps of an older text. */
  inspection: Inspection;
  readonly pending = new CancellationTokenSource();

  constructor(inspection: Inspection = { findings: [] }) {
    this.inspection = inspection;
  }

  cancel(): void {
    this.pending.cancel();
  }
}
