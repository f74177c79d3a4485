import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createMessageConnection, type MessageConnection } from 'vscode-jsonrpc/node';
import { CancellationTokenSource } from 'vscode-languageserver';
import { readConfig } from '../../../engine/config/parse.ts';
import type { JsonObject } from '../../../engine/json-file.ts';
import { serveEstimates } from '../../../server/estimate-requests.ts';
import { MODEL_KEY } from '../../../server/language/inspection/finding.ts';
import { InspectorClient } from '../../../server/language/inspection/inspector-client.ts';
import { estimateProgress, estimateRun } from '../../../server/protocol/configurations.ts';
import type { PreviewState } from '../../../server/protocol/data.ts';
import { chosenPython } from '../../../server/protocol/runs.ts';
import {
  BACKTRACKING,
  ENDLESS_TEMPLATE,
  ENDLESS_TEXT,
  writeHostileModel,
} from '../../support/hostile-model.ts';
import { lacks, REFERENCE_PYTHON } from '../../support/reference-python.ts';
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
    external: ['koffi', 'onnxruntime-node'],
    metafile: true,
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  imports = Object.values(metafile.outputs).flatMap((output) =>
    output.imports.map(({ path: name }) => name),
  );
});

afterEach(() => {
  vi.unstubAllEnvs();
});

afterAll(() => rm(folder, { recursive: true }));

function inspectorClient(): InspectorClient {
  const client = new InspectorClient(script);
  onTestFinished(() => client.dispose());
  return client;
}

test('ONNX Runtime, which takes memory and time to load, is not loaded', () => {
  for (const name of ['koffi', 'onnxruntime-node']) expect(imports).not.toContain(name);
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
  const config = await readConfig(workspace.path('run.lorafa.json'));
  const estimate = await client.estimate(config, ({ task }) => tasks.push(task));
  expect(estimate).toMatchObject({ steps: 12, train: { rows: 12 } });
  expect(tasks).toContain('tokenizing training rows');

  const lora = { ...config.lora, target_modules: ['q_prj'] };
  await expect(client.estimate({ ...config, lora }, () => undefined)).rejects.toMatchObject({
    data: { code: 'adapter.no_target' },
  });
});

/** A client, not yet listening, of a server that makes estimates. */
function estimatesClient(): MessageConnection {
  const [toServer, toClient] = [new PassThrough(), new PassThrough()];
  const server = createMessageConnection(toServer, toClient);
  const client = createMessageConnection(toClient, toServer);
  onTestFinished(() => {
    client.dispose();
    server.dispose();
  });
  serveEstimates(server, {
    inspectorScript: script,
    cliScript: 'none.js',
    runFolders: async () => [],
  });
  server.listen();
  return client;
}

test.skipIf(lacks('yaml'))(
  "a file of Accelerate counts in an estimate, read by the editor's Python",
  async () => {
    vi.stubEnv('LORAFA_PYTHON', undefined);
    const workspace = await ConfigWorkspace.create();
    await workspace.write('accelerate.yaml', 'num_processes: 2\nmixed_precision: bf16\n');
    const sections = {
      training: { gradient_accumulation_steps: 2 },
      engine: { backend: 'accelerate' },
      accelerate: { config_file: 'accelerate.yaml' },
    };
    await workspace.write('run.lorafa.json', workspace.text(sections));
    const configFile = workspace.path('run.lorafa.json');
    const client = estimatesClient();
    const asked: unknown[] = [];
    client.onRequest(chosenPython.method, (params: unknown) => {
      asked.push(params);
      return REFERENCE_PYTHON;
    });
    client.listen();
    expect(await client.sendRequest(estimateRun.method, { configFile })).toMatchObject({
      estimate: { processes: 2, compute: 'bfloat16' },
    });
    expect(asked).toEqual([{ configFile }]);
  },
);

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

  const client = estimatesClient();
  const { token, cancel } = cancellable();
  const files: string[] = [];
  client.onNotification(estimateProgress.method, ({ configFile }: { configFile: string }) => {
    files.push(path.basename(configFile));
    if (configFile.endsWith('many.lorafa.json')) cancel();
  });
  client.listen();

  const configFile = workspace.path('run.lorafa.json');
  const answer = await client.sendRequest(estimateRun.method, { configFile });
  expect(answer).toMatchObject({
    estimate: { steps: 12, memory: { total: expect.any(Number) } },
    earlier: null,
  });
  await workspace.write('bad.lorafa.json', workspace.text({ lora: { r: -1 } }));
  const bad = client.sendRequest(estimateRun.method, {
    configFile: workspace.path('bad.lorafa.json'),
  });
  await expect(bad).rejects.toMatchObject({
    data: { code: 'config.invalid_value', problems: [expect.stringContaining('`lora.r`')] },
  });
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

test('data that are being read are shown, searched and left off', async () => {
  const workspace = await ConfigWorkspace.create();
  const rows = Array.from({ length: 20_000 }, (_, index) => ({
    question: `What is ${index}?`,
    answer: `The number ${index}.`,
  }));
  await workspace.writeRows('rows.jsonl', rows);
  await workspace.write('run.lorafa.json', workspace.text());
  const file = workspace.path('run.lorafa.json');
  const client = inspectorClient();
  const { token, cancel } = cancellable();
  const states: PreviewState[] = [];
  const onNews = (state: PreviewState): void => {
    states.push(state);
    // The first news comes with the first rows.
    if (states.length === 1) void client.searchData('WHAT IS 7?');
    if (state.search !== null) cancel();
  };
  await client.readData(file, onNews, token);
  expect(states[0]).toMatchObject({ isReading: true, report: { rows: 25 }, search: null });
  const last = states.at(-1)!;
  expect(last).toMatchObject({ isReading: false, padding: null, search: { found: 1, share: 1 } });
  expect(last.share).toBeLessThan(1);
  const { examples } = await client.dataRows(0, 5);
  expect(examples.map(({ line }) => line)).toEqual([8]);
  await client.searchData('');
  expect((await client.dataRows(5, 2)).examples.map(({ line }) => line)).toEqual([6, 7]);
});

test('rows that a run would be refused for are shown with the reason', async () => {
  const workspace = await ConfigWorkspace.create();
  await workspace.writeRows('rows.jsonl', [{ question: 'a b', answer: 'c d' }, { question: 'a' }]);
  await workspace.write('run.lorafa.json', workspace.text());
  const client = inspectorClient();
  const states: PreviewState[] = [];
  const { token } = cancellable();
  await client.readData(workspace.path('run.lorafa.json'), (state) => states.push(state), token);
  expect(states.at(-1)).toMatchObject({
    isReading: false,
    report: { used: 1, dropped: { count: 1 } },
    problem: expect.stringContaining('max_bad_rows') as string,
  });
  expect((await client.dataRows(0, 5)).examples).toHaveLength(1);
});

test('the beginning of a data file, and what could be learned from it', async () => {
  const workspace = await ConfigWorkspace.create();
  await workspace.write('tickets.csv', 'ticket;reply\nHelp me;"We ""help"" you"\n');
  const client = inspectorClient();
  expect(await client.sample(workspace.path('tickets.csv'))).toEqual({
    count: 1,
    columns: ['ticket', 'reply'],
    rows: [{ ticket: 'Help me', reply: 'We "help" you' }],
    recognised: null,
    guess: { kind: 'prompt_completion', prompt_column: 'ticket', completion_column: 'reply' },
  });
  expect(await client.sample(workspace.path('rows.jsonl'))).toMatchObject({
    recognised: 'question → answer',
  });
  for (const name of ['parts/a.jsonl', 'parts/b.jsonl']) {
    await workspace.writeRows(name, [{ question: 'Why?', answer: 'So.' }]);
  }
  for (const name of ['parts', 'parts/*.jsonl']) {
    expect(await client.sample(workspace.path(name))).toMatchObject({
      count: 2,
      columns: ['question', 'answer'],
    });
  }
});

test('data without a row that can be read are told as such, and not as data without columns', async () => {
  const workspace = await ConfigWorkspace.create();
  await workspace.write('empty.jsonl', '');
  await workspace.write('excel.csv', 'frage;antwort\n');
  await appendFile(workspace.path('excel.csv'), Buffer.from('Wie heißt er?;Günter\n', 'latin1'));
  const client = inspectorClient();
  await expect(client.sample(workspace.path('empty.jsonl'))).rejects.toMatchObject({
    data: { code: 'data.empty' },
    message: expect.stringContaining('not a single row'),
  });
  await expect(client.sample(workspace.path('excel.csv'))).rejects.toMatchObject({
    data: { code: 'data.corrupt' },
    message: expect.stringMatching(/excel\.csv can.* line 2 on: the row is not valid UTF-8 \(save/),
  });
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
  const estimate = client.estimate(await readConfig(workspace.path('run.lorafa.json')), isUnderWay);
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

describe('files of strangers', () => {
  const twoBillion = '{{ range(2000000000) }}';
  const { token } = new CancellationTokenSource();

  /** Another model in the workspace: the tiny one with some of its files replaced. */
  async function strange(workspace: ConfigWorkspace, files: Readonly<Record<string, JsonObject>>) {
    await writeHostileModel(workspace.path('strange'), files);
    await workspace.writeRows('long.jsonl', [{ question: ENDLESS_TEXT, answer: 'So.' }]);
    return workspace.text({
      model: { base_model_name_or_path: 'strange' },
      data: { dataset_name_or_path: ['rows.jsonl', 'long.jsonl'] },
    });
  }

  test.each([
    [
      'a range of two billion',
      { 'tokenizer_config.json': { chat_template: twoBillion } },
      { code: 'data.chat_template', path: ['data', 'dataset_name_or_path', 0] },
    ],
    [
      'a template without an end',
      { 'tokenizer_config.json': { chat_template: ENDLESS_TEMPLATE } },
      { code: 'data.chat_template', path: MODEL_KEY },
    ],
    [
      'an expression that backtracks',
      { 'tokenizer.json': { pre_tokenizer: BACKTRACKING } },
      { code: 'model.tokenizer', path: MODEL_KEY },
    ],
    [
      'a billion layers',
      { 'config.json': { num_hidden_layers: 1e9 } },
      { code: 'model.corrupt', path: MODEL_KEY },
    ],
    [
      'a token id of a billion',
      { 'tokenizer.json': { added_tokens: [{ id: 1e9, content: 'x', special: true }] } },
      { code: 'model.tokenizer', path: MODEL_KEY },
    ],
  ])('%s is marked, and all else is looked at', async (_name, files, finding) => {
    const workspace = await ConfigWorkspace.create();
    const client = inspectorClient();
    const config = workspace.path('run.lorafa.json');
    const found = await client.inspect(config, await strange(workspace, files), token);
    expect(found.findings).toContainEqual(
      expect.objectContaining({
        ...finding,
        severity: 'error',
        message: expect.stringContaining('strange') as string,
      }),
    );
    const good = workspace.text();
    expect(await client.inspect(config, good, token)).toMatchObject({ length: { steps: 12 } });
  });

  test('an inspection over its time is ended with its process, and told at the key', async () => {
    const workspace = await ConfigWorkspace.create();
    const client = new InspectorClient(script, { inspection: 5000, cancelled: 5000 });
    onTestFinished(() => client.dispose());
    const config = workspace.path('run.lorafa.json');
    const files = { 'tokenizer.json': { pre_tokenizer: BACKTRACKING } };
    const [strangeText, good] = [await strange(workspace, files), workspace.text()];
    // The time of a row grows with its text.
    const question = ENDLESS_TEXT + ' '.repeat(2_500_000);
    await workspace.writeRows('long.jsonl', [{ question, answer: 'So.' }]);
    const over = client.inspect(config, strangeText, token);
    // It waits for its turn, so that it is not taken for the one that does not end.
    const next = client.inspect(config, good, token);
    expect((await over).findings).toEqual([
      expect.objectContaining({
        path: ['data', 'dataset_name_or_path'],
        code: 'inspection.ended',
        message: expect.stringContaining('took more than 5 seconds') as string,
      }),
    ]);
    expect(await next).toMatchObject({ findings: [], length: { steps: 12 } });
  });

  test('a process that dies is told at the key, and the next one goes on', async () => {
    const dying = path.join(folder, 'dying.mjs');
    await writeFile(dying, DYING);
    const client = new InspectorClient(dying);
    onTestFinished(() => client.dispose());
    for (const time of ['once', 'again']) {
      expect((await client.inspect('x', time, token)).findings).toEqual([
        expect.objectContaining({
          path: ['data', 'dataset_name_or_path'],
          code: 'inspection.ended',
          message: expect.stringContaining(
            'ended the process (SIGABRT: heap out of memory)',
          ) as string,
        }),
      ]);
    }
  });

  test('a cancelled inspection makes way soon', async () => {
    const workspace = await ConfigWorkspace.create();
    const client = new InspectorClient(script, { inspection: 60_000, cancelled: 200 });
    onTestFinished(() => client.dispose());
    const source = new CancellationTokenSource();
    const config = workspace.path('run.lorafa.json');
    const files = { 'tokenizer_config.json': { chat_template: ENDLESS_TEMPLATE } };
    const over = client.inspect(config, await strange(workspace, files), source.token);
    const good = workspace.text();
    const next = client.inspect(config, good, token);
    source.cancel();
    expect((await over).findings.length).toBeLessThan(2);
    expect(await next).toMatchObject({ findings: [], length: { steps: 12 } });
  });
});

/** An inspector that says where it is and dies, as one whose memory is full. */
const DYING = `
process.on('message', () => {
  process.send({
    jsonrpc: '2.0',
    method: 'inspector/place',
    params: { path: ['data', 'dataset_name_or_path'] },
  });
  process.stderr.write('heap out of memory\\n', () => process.kill(process.pid, 'SIGABRT'));
});
`;
