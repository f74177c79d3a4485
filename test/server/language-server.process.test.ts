import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  IPCMessageReader,
  IPCMessageWriter,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
  type PublishDiagnosticsParams,
} from 'vscode-languageserver/node';
import { PROTOCOL_VERSION } from '../../server/protocol/initialization.ts';
import { renameAdapter } from '../../server/protocol/models.ts';
import { tempFolder } from '../support/temp-folder.ts';

const uri = 'file:///folder/run.lorafa.json';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'lorafa-server-'));
  // As it is built: what it needs only now and then, ONNX Runtime for one, is not loaded with it, and is not here.
  await build({
    entryPoints: ['server/language-server.ts'],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    external: ['koffi', 'onnxruntime-node'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
});

afterAll(() => rm(folder, { recursive: true }));

/** The server in a process of its own, spoken to as VS Code does: over IPC. */
function startServer(): ProtocolConnection {
  const child = fork(path.join(folder, 'language-server.mjs'), ['--node-ipc']);
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
  const connection = createProtocolConnection(
    new IPCMessageReader(child),
    new IPCMessageWriter(child),
  );
  connection.listen();
  return connection;
}

function initialize(server: ProtocolConnection, initializationOptions: unknown) {
  return server.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
    initializationOptions,
  });
}

/** The next diagnostics that the server sends. */
function nextDiagnostics(server: ProtocolConnection): Promise<PublishDiagnosticsParams> {
  return new Promise((resolve) => {
    server.onNotification(PublishDiagnosticsNotification.type, resolve);
  });
}

test('folders that are added to the window are open, until they are removed', async () => {
  const adapter = path.join(await tempFolder(), 'mine');
  await mkdir(adapter);
  const server = startServer();
  await initialize(server, { protocolVersion: PROTOCOL_VERSION });
  const folders = [{ uri: pathToFileURL(adapter).href, name: 'mine' }];
  const change = (event: { readonly added?: object; readonly removed?: object }) =>
    server.sendNotification('workspace/didChangeWorkspaceFolders', {
      event: { added: [], removed: [], ...event },
    });
  const rename = () => server.sendRequest(renameAdapter.method, { folder: adapter, name: 'other' });
  await change({ added: folders });
  await expect(rename()).rejects.toThrow(`${adapter} is open in the editor`);
  await change({ removed: folders });
  expect(await rename()).toEqual({ folder: path.join(path.dirname(adapter), 'other') });
});

test.each([{ protocolVersion: PROTOCOL_VERSION + 1 }, {}, null])(
  'a client of another version (%j) is told to reload the window',
  async (options) => {
    await expect(initialize(startServer(), options)).rejects.toThrow('reload the window');
  },
);

test('diagnostics follow the text and end with it', async () => {
  const server = startServer();
  await initialize(server, { protocolVersion: PROTOCOL_VERSION });
  await server.sendNotification(InitializedNotification.type, {});

  const opened = nextDiagnostics(server);
  const textDocument = { uri, languageId: 'jsonc', version: 1, text: '{ "modle": {} }' };
  await server.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
  const unknownKey = (await opened).diagnostics.find(({ code }) => code === 'config.unknown_key');
  expect(unknownKey).toMatchObject({
    range: { start: { line: 0, character: 2 }, end: { line: 0, character: 9 } },
    source: 'LoRA-FA',
  });

  const changed = nextDiagnostics(server);
  await server.sendNotification(DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: 2 },
    contentChanges: [
      {
        range: { start: { line: 0, character: 2 }, end: { line: 0, character: 9 } },
        text: '"model"',
      },
    ],
  });
  const { version, diagnostics } = await changed;
  expect(version).toBe(2);
  expect(JSON.stringify(diagnostics)).not.toContain('modle');

  const hover = await server.sendRequest(HoverRequest.type, {
    textDocument: { uri },
    position: { line: 0, character: 4 },
  });
  expect(hover?.contents).toEqual(['The base model.']);

  const closed = nextDiagnostics(server);
  await server.sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri } });
  expect((await closed).diagnostics).toEqual([]);
});

test('a document that was never opened is answered with nothing', async () => {
  const server = startServer();
  await initialize(server, { protocolVersion: PROTOCOL_VERSION });
  const position = { line: 0, character: 0 };
  const hover = server.sendRequest(HoverRequest.type, { textDocument: { uri }, position });
  expect(await hover).toBeNull();
});
