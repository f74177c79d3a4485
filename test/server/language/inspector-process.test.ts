import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createMessageConnection } from 'vscode-jsonrpc/node';
import { CancellationTokenSource } from 'vscode-languageserver';
import { serveEstimates } from '../../../server/estimate-requests.ts';
import { InspectorClient } from '../../../server/language/inspection/inspector-client.ts';
import { estimateProgress, estimateRun } from '../../../server/protocol.ts';
import { ConfigWorkspace } from './config-workspace.ts';

let folder: string;
let script: string;
/** What the bundled program imports from outside of the bundle. */
let imports: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'lorafa-inspector-'));
  script = path.join(folder, 'inspector.mjs');
  const { metafile } = await build({
    entryPoints: ['server/language/inspection/inspector-process.ts'],
    outfile: script,
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    external: ['onnxruntime-node'],
    metafile: true,
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  imports = Object.values(metafile.outputs).flatMap((output) =>
    output.imports.map(({ path: name }) => name),
  );
});

afterAll(() => rm(folder, { recursive: true }));

function inspectorClient(): InspectorClient {
  const client = new InspectorClient(script);
  onTestFinished(() => client.dispose());
  return client;
}

test('ONNX Runtime, which takes memory and time to load, is not loaded', () => {
  expect(imports).not.toContain('onnxruntime-node');
});

test('a process finds what the inspector finds', async () => {
  const workspace = await ConfigWorkspace.create();
  const client = inspectorClient();
  const text = workspace.text({ lora: { target_modules: ['q_prj'] } });
  const { token } = new CancellationTokenSource();
  const found = await client.inspect(workspace.path('run.lorafa.json'), text, token);
  expect(found).toEqual(await workspace.inspect(text));
  expect(await client.columns([workspace.path('rows.jsonl')])).toEqual(['question', 'answer']);
  expect(await client.moduleNames(workspace.path('model'))).toHaveLength(14);
});

test('an estimate tells how far it is; a mistake comes as its sentence', async () => {
  const workspace = await ConfigWorkspace.create();
  await workspace.write('run.lorafa.json', workspace.text());
  const tasks: string[] = [];
  const client = inspectorClient();
  const estimate = await client.estimate(workspace.path('run.lorafa.json'), ({ task }) =>
    tasks.push(task),
  );
  expect(estimate).toMatchObject({ steps: 12, train: { rows: 12 } });
  expect(tasks).toContain('tokenizing training rows');

  await workspace.write('bad.lorafa.json', workspace.text({ lora: { r: -1 } }));
  await expect(
    client.estimate(workspace.path('bad.lorafa.json'), () => undefined),
  ).rejects.toMatchObject({
    data: { code: 'config.invalid_value', problems: [expect.stringContaining('`lora.r`')] },
  });
});

test('the client asks for an estimate, hears of it, and may cancel it', async () => {
  const workspace = await ConfigWorkspace.create();
  const rows = Array.from({ length: 20_000 }, () => ({
    question: 'Why?',
    answer: 'So. '.repeat(50),
  }));
  await workspace.writeRows('many.jsonl', rows);
  await workspace.write('run.lorafa.json', workspace.text());
  const many = workspace.text({ data: { dataset_name_or_path: 'many.jsonl' } });
  await workspace.write('many.lorafa.json', many);

  const [toServer, toClient] = [new PassThrough(), new PassThrough()];
  const server = createMessageConnection(toServer, toClient);
  const client = createMessageConnection(toClient, toServer);
  onTestFinished(() => {
    client.dispose();
    server.dispose();
  });
  serveEstimates(server, script);
  const { token, cancel } = cancellable();
  const files: string[] = [];
  client.onNotification(estimateProgress.method, ({ configFile }: { configFile: string }) => {
    files.push(path.basename(configFile));
    if (configFile.endsWith('many.lorafa.json')) cancel();
  });
  server.listen();
  client.listen();

  const configFile = workspace.path('run.lorafa.json');
  const estimate = await client.sendRequest(estimateRun.method, { configFile });
  expect(estimate).toMatchObject({ steps: 12, memory: { total: expect.any(Number) } });
  const cancelled = client.sendRequest(
    estimateRun.method,
    { configFile: workspace.path('many.lorafa.json') },
    token,
  );
  await expect(cancelled).rejects.toThrow();
  expect(new Set(files)).toEqual(new Set(['run.lorafa.json', 'many.lorafa.json']));
  const missing = client.sendRequest(estimateRun.method, { configFile: workspace.path('gone') });
  await expect(missing).rejects.toMatchObject({ data: { code: 'config.not_found' } });
});

/** A cancellation token and what cancels it. */
function cancellable() {
  const source = new CancellationTokenSource();
  return { token: source.token, cancel: () => source.cancel() };
}

test('a process that is disposed of while it works answers nobody and is started again', async () => {
  const workspace = await ConfigWorkspace.create();
  const rows = Array.from({ length: 20_000 }, () => ({
    question: 'Why?',
    answer: 'So. '.repeat(50),
  }));
  await workspace.writeRows('rows.jsonl', rows);
  await workspace.write('run.lorafa.json', workspace.text());
  const client = inspectorClient();
  let isUnderWay: () => void = () => undefined;
  const started = new Promise<void>((resolve) => {
    isUnderWay = resolve;
  });
  const estimate = client.estimate(workspace.path('run.lorafa.json'), isUnderWay);
  const ended = expect(estimate).rejects.toThrow();
  await started;
  await client.dispose();
  await ended;
  expect(await client.columns([workspace.path('rows.jsonl')])).toEqual(['question', 'answer']);
});

test('a process that cannot start fails its requests', async () => {
  const client = new InspectorClient(path.join(folder, 'missing.mjs'));
  await expect(client.columns([])).rejects.toThrow();
  await client.dispose();
});
