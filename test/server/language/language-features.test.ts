import { PassThrough } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import {
  CodeActionRequest,
  CodeLensRequest,
  CompletionRequest,
  createConnection,
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DidSaveTextDocumentNotification,
  HoverRequest,
  InitializeRequest,
  type InitializeResult,
  InlayHintRefreshRequest,
  InlayHintRequest,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
  type PublishDiagnosticsParams,
  StreamMessageReader,
  StreamMessageWriter,
  TextDocuments,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { COMMANDS } from '../../../extension/ids.ts';
import type { Inspection } from '../../../server/language/inspection/config-inspector.ts';
import type { Inspector } from '../../../server/language/inspection/inspector-client.ts';
import {
  LANGUAGE_CAPABILITIES,
  serveLanguage,
} from '../../../server/language/language-features.ts';
import { ConfigWorkspace } from './config-workspace.ts';

/** An editor with one document, connected to the language features over streams. */
class Editor {
  readonly client: ProtocolConnection;
  readonly uri: string;
  readonly published: PublishDiagnosticsParams[] = [];
  refreshes = 0;
  #version = 0;

  private constructor(uri: string, inspector: Inspector) {
    this.uri = uri;
    const [toServer, toClient] = [new PassThrough(), new PassThrough()];
    const server = createConnection(
      new StreamMessageReader(toServer),
      new StreamMessageWriter(toClient),
    );
    const documents = new TextDocuments(TextDocument);
    let language: { dispose(): void } | undefined;
    server.onInitialize((): InitializeResult => {
      language = serveLanguage(server, documents, {
        inspector,
        source: 'test',
        canRefreshHints: true,
        delay: 20,
      });
      return { capabilities: LANGUAGE_CAPABILITIES };
    });
    documents.listen(server);
    server.listen();
    this.client = createProtocolConnection(
      new StreamMessageReader(toClient),
      new StreamMessageWriter(toServer),
    );
    this.client.onNotification(PublishDiagnosticsNotification.type, (params) => {
      this.published.push(params);
    });
    this.client.onRequest(InlayHintRefreshRequest.type, () => {
      this.refreshes += 1;
    });
    this.client.listen();
    onTestFinished(() => {
      language?.dispose();
      this.client.dispose();
      server.dispose();
    });
  }

  static async open(uri: string, inspector: Inspector, text: string): Promise<Editor> {
    const editor = new Editor(uri, inspector);
    await editor.client.sendRequest(InitializeRequest.type, {
      processId: null,
      rootUri: null,
      capabilities: {},
    });
    const textDocument = { uri, languageId: 'jsonc', version: editor.#version, text };
    await editor.client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
    return editor;
  }

  async type(text: string): Promise<void> {
    this.#version += 1;
    await this.client.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument: { uri: this.uri, version: this.#version },
      contentChanges: [{ text }],
    });
  }

  async save(): Promise<void> {
    const textDocument = { uri: this.uri };
    await this.client.sendNotification(DidSaveTextDocumentNotification.type, { textDocument });
  }

  /** What is marked now. */
  get codes(): readonly unknown[] {
    return this.published.at(-1)?.diagnostics.map(({ code }) => code) ?? [];
  }
}

/** An inspector in this thread that counts, and remembers what was cancelled. */
function countingInspector(workspace: ConfigWorkspace) {
  const calls: { readonly text: string; isCancelled: () => boolean }[] = [];
  const inspector: Inspector = {
    inspect: (file, text, token): Promise<Inspection> => {
      const isCancelled = () => token.isCancellationRequested;
      calls.push({ text, isCancelled });
      return workspace.inspector.inspect(file, text, isCancelled);
    },
    columns: (names) => workspace.inspector.columns(names),
    moduleNames: (location) => workspace.inspector.moduleNames(location),
  };
  return { inspector, calls };
}

test('files are looked at in the pauses of typing, and only for the last text', async () => {
  const workspace = await ConfigWorkspace.create();
  const { inspector, calls } = countingInspector(workspace);
  const wrong = workspace.text({ model: { base_model_name_or_path: './gone' } });
  const editor = await Editor.open(workspace.uri, inspector, wrong);
  await expect.poll(() => editor.codes).toEqual(['model.not_found']);
  expect(editor.refreshes).toBe(1);

  const texts = [1, 2, 3, 4].map((r) => workspace.text({ lora: { r } }));
  for (const text of texts) await editor.type(text);
  // Until the files were looked at again, what is known of them stays.
  await expect.poll(() => editor.published.length).toBeGreaterThanOrEqual(5);
  expect(editor.published.slice(2, 5).every(({ diagnostics }) => diagnostics.length === 1)).toBe(
    true,
  );
  await expect.poll(() => editor.codes).toEqual([]);
  expect(calls.map(({ text }) => text)).toEqual([wrong, texts.at(-1)]);
});

test('a text that changes while its files are looked at is given up', async () => {
  const workspace = await ConfigWorkspace.create();
  const { calls, inspector } = countingInspector(workspace);
  const never: Inspector = {
    ...inspector,
    inspect: async (file, text, token) => {
      const inspection = await inspector.inspect(file, text, token);
      if (calls.length > 1) return inspection;
      await new Promise<void>((resolve) => token.onCancellationRequested(() => resolve()));
      const problem = { path: ['model'], part: 'key', message: 'too late' } as const;
      return { findings: [{ ...problem, severity: 'error', code: 'model.not_found' }] };
    },
  };
  const editor = await Editor.open(workspace.uri, never, workspace.text());
  await expect.poll(() => calls.length).toBe(1);
  await editor.type(workspace.text({ lora: { r: 2 } }));
  await expect.poll(() => calls.length).toBe(2);
  await expect.poll(() => editor.refreshes).toBe(1);
  expect(calls.map(({ isCancelled }) => isCancelled())).toEqual([true, false]);
  expect(JSON.stringify(editor.published)).not.toContain('too late');
});

test('saving looks at the files again; closing ends it and clears the marks', async () => {
  const workspace = await ConfigWorkspace.create();
  const { inspector, calls } = countingInspector(workspace);
  const editor = await Editor.open(workspace.uri, inspector, workspace.text());
  await expect.poll(() => editor.refreshes).toBe(1);
  await workspace.remove('rows.jsonl');
  await editor.save();
  await expect.poll(() => editor.codes).toEqual(['data.not_found']);

  await editor.type(workspace.text({ lora: { r: 2 } }));
  const textDocument = { uri: editor.uri };
  await editor.client.sendNotification(DidCloseTextDocumentNotification.type, { textDocument });
  await expect.poll(() => editor.codes).toEqual([]);
  await setTimeout(60);
  expect(calls).toHaveLength(2);
  expect(editor.codes).toEqual([]);
});

test('an inspection that fails is logged, and the marks of the schema stay', async () => {
  const workspace = await ConfigWorkspace.create();
  const broken: Inspector = {
    inspect: () => Promise.reject(new Error('out of memory')),
    columns: () => Promise.resolve([]),
    moduleNames: () => Promise.resolve([]),
  };
  const editor = await Editor.open(workspace.uri, broken, workspace.text({ lora: { rr: 2 } }));
  const logged = new Promise((resolve) => {
    editor.client.onNotification('window/logMessage', resolve);
  });
  expect(await logged).toMatchObject({ message: 'out of memory' });
  expect(editor.codes).toEqual(['config.unknown_key']);
});

test('lenses, hints, quick fixes, completions and hover are served', async () => {
  const workspace = await ConfigWorkspace.create();
  const { inspector } = countingInspector(workspace);
  const text = workspace.text({ data: { prompt_column: 'ask', completion_column: 'answer' } });
  const editor = await Editor.open(workspace.uri, inspector, text);
  const textDocument = { uri: editor.uri };
  const document = workspace.document(text);
  const whole = { start: document.positionAt(0), end: document.positionAt(text.length) };
  await expect.poll(() => editor.codes).toEqual(['data.missing_column']);

  const lenses = await editor.client.sendRequest(CodeLensRequest.type, { textDocument });
  expect(lenses!.map(({ command }) => command)).toEqual([
    { title: '$(play)\u00a0Start run', command: COMMANDS.startRun, arguments: [editor.uri] },
    {
      title: '$(preview)\u00a0Preview data',
      command: COMMANDS.previewData,
      arguments: [editor.uri],
    },
    { title: '$(dashboard)\u00a0Estimate', command: COMMANDS.estimateRun, arguments: [editor.uri] },
  ]);
  const hints = await editor.client.sendRequest(InlayHintRequest.type, {
    textDocument,
    range: whole,
  });
  expect(hints!.map(({ label }) => label)).toContain('scales by 2');

  const near = workspace.text({ data: { prompt_column: 'qestion', completion_column: 'answer' } });
  await editor.type(near);
  await expect.poll(() => JSON.stringify(editor.published.at(-1))).toContain('did you mean');
  const actions = await editor.client.sendRequest(CodeActionRequest.type, {
    textDocument,
    range: whole,
    context: { diagnostics: editor.published.at(-1)!.diagnostics },
  });
  expect(actions!.map(({ title }) => title)).toEqual(['Change to "question"']);

  const at = workspace.document(near).positionAt(near.indexOf('qestion'));
  const offered = await editor.client.sendRequest(CompletionRequest.type, {
    textDocument,
    position: at,
  });
  const items = Array.isArray(offered) ? offered : offered!.items;
  expect(items.map(({ label }) => label)).toEqual(expect.arrayContaining(['question', 'answer']));
  const key = workspace.document(near).positionAt(near.indexOf('prompt_column'));
  const hover = await editor.client.sendRequest(HoverRequest.type, { textDocument, position: key });
  expect(JSON.stringify(hover)).toContain('The column with the prompt');
});

test('a document that is not open has nothing', async () => {
  const workspace = await ConfigWorkspace.create();
  const { inspector } = countingInspector(workspace);
  const editor = await Editor.open(workspace.uri, inspector, workspace.text());
  const textDocument = { uri: 'file:///other.lorafa.json' };
  const position = { line: 0, character: 0 };
  const range = { start: position, end: position };
  const { client } = editor;
  expect([
    await client.sendRequest(CodeLensRequest.type, { textDocument }),
    await client.sendRequest(InlayHintRequest.type, { textDocument, range }),
    await client.sendRequest(CompletionRequest.type, { textDocument, position }),
    await client.sendRequest(CodeActionRequest.type, {
      textDocument,
      range,
      context: { diagnostics: [] },
    }),
  ]).toEqual([null, null, null, null]);
});
