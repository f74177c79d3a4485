import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  createMessageConnection,
  IPCMessageReader,
  IPCMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import type { JournalEntry } from '../../engine/train/journal-entry.ts';
import {
  controlRun,
  countTokens,
  type DataPreview,
  examineMachine,
  generate,
  generationPiece,
  listAdapters,
  listModels,
  listRuns,
  previewData,
  type RunSummary,
  runChanged,
  runEvents,
  startRun,
  watchRun,
} from '../../server/protocol.ts';
import type { RequestMessage } from '../../server/rpc/message.ts';
import { TinyRuns } from '../engine/train/tiny-run.ts';
import { BuiltCli } from '../support/built-cli.ts';

/** The server as the extension starts it: bundled, over IPC. */

let built: BuiltCli;
let tiny: TinyRuns;

beforeAll(async () => {
  built = await BuiltCli.build();
  tiny = await TinyRuns.create(built.folder);
});

afterAll(() => built.remove());

class Server {
  readonly process: ChildProcess;
  readonly connection: MessageConnection;
  readonly summaries: RunSummary[] = [];
  readonly entries: JournalEntry[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor() {
    this.process = fork(path.join(built.folder, 'out/language-server.js'), ['--node-ipc'], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Where runs are registered on Linux; elsewhere these tests use the user's own registry.
      env: { ...process.env, XDG_STATE_HOME: path.join(built.folder, 'state') },
    });
    this.connection = createMessageConnection(
      new IPCMessageReader(this.process),
      new IPCMessageWriter(this.process),
    );
    this.connection.onNotification(runChanged.method, (summary: RunSummary) => {
      this.summaries.push(summary);
      this.#wake();
    });
    this.connection.onNotification(runEvents.method, (news: { entries: JournalEntry[] }) => {
      this.entries.push(...news.entries);
      this.#wake();
    });
    this.connection.listen();
  }

  static async start(protocolVersion = 1): Promise<Server> {
    const server = new Server();
    onTestFinished(() => server.kill());
    await server.connection.sendRequest('initialize', {
      processId: process.pid,
      capabilities: {},
      workspaceFolders: [{ uri: pathToFileURL(built.folder).href, name: 'tests' }],
      initializationOptions: { protocolVersion },
    });
    return server;
  }

  ask<Params, Result>(message: RequestMessage<Params, Result>, params: Params): Promise<Result> {
    return this.connection.sendRequest<Result>(message.method, params);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Ends the server as a crash would. */
  async kill(): Promise<void> {
    this.connection.dispose();
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

test('a client of another version is refused', async () => {
  await expect(Server.start(99)).rejects.toThrow('reload the window');
});

test('a run survives the death of the server, and the next one shows all of it', async () => {
  const config = tiny.config({ training: { max_steps: 1_000_000 } });
  const { output_dir: folder } = config.training;
  const configFile = path.join(built.folder, 'endless.lorafa.json');
  await writeFile(configFile, JSON.stringify(config));

  const first = await Server.start();
  expect(await first.ask(startRun, { configFile, whenBusy: 'queue' })).toMatchObject({ folder });
  await first.until(() => first.summaries.some(({ status }) => status.step > 1));
  await first.kill();

  const second = await Server.start();
  expect(await second.ask(listRuns, {})).toMatchObject([
    { folder, configFile, isLive: true, isSteerable: true },
  ]);
  await second.ask(watchRun, { folder });
  const steps = () => second.entries.flatMap((entry) => (entry.type === 'step' ? entry.step : []));
  const filled = steps().length;
  expect(filled).toBeGreaterThan(1);
  await second.until(() => steps().length > filled);
  expect(steps()).toEqual(Array.from({ length: steps().length }, (_, index) => index + 1));
  expect((await second.ask(controlRun, { folder, action: 'stop' })).state).toBe('stopping');
  await second.until(() => second.summaries.at(-1)?.status.state === 'stopped');
});

test('parameters are checked, and failures say why', async () => {
  const server = await Server.start();
  await expect(server.connection.sendRequest(startRun.method, {})).rejects.toMatchObject({
    code: -32602,
    message: expect.stringContaining('configFile') as string,
  });
  const configFile = path.join(built.folder, 'mistakes.lorafa.json');
  await writeFile(configFile, '{"modle": 1}');
  await expect(server.ask(startRun, { configFile, whenBusy: 'queue' })).rejects.toMatchObject({
    code: -32803,
    data: {
      code: 'config.invalid_value',
      problems: expect.arrayContaining([expect.stringContaining('modle')]) as string[],
    },
  });
  await expect(
    server.ask(previewData, { configFile: '/missing.lorafa.json', rows: 3, skip: 0 }),
  ).rejects.toMatchObject({ code: -32803, data: { code: 'config.not_found' } });
});

test('data, machine, models, adapters and texts', async () => {
  const server = await Server.start();
  const configFile = path.join(built.folder, 'preview.lorafa.json');
  await writeFile(configFile, JSON.stringify(tiny.config()));
  const preview: DataPreview = await server.ask(previewData, { configFile, rows: 2, skip: 0 });
  expect(preview.examples).toHaveLength(2);
  expect(preview.report.rows).toBe(7);
  const next: DataPreview = await server.ask(previewData, { configFile, rows: 2, skip: 1 });
  expect(next.examples[0]).toEqual(preview.examples[1]);
  expect(preview.examples[0]!.tokens.some(({ supervised }) => supervised)).toBe(true);
  expect(await server.ask(examineMachine, {})).toMatchObject({
    onnxruntime: { devices: expect.arrayContaining([{ device: 'cpu', usable: true }]) as object[] },
  });
  expect(await server.ask(listModels, { folders: [] })).toContainEqual(
    expect.objectContaining({ path: tiny.model, origin: 'workspace', problem: null }),
  );
  expect(await server.ask(listAdapters, {})).toContainEqual(
    expect.objectContaining({ baseModel: tiny.model, rank: 2 }),
  );
  let streamed = '';
  server.connection.onNotification(generationPiece.method, (piece: { text: string }) => {
    streamed += piece.text;
  });
  const choice = { model: tiny.model, device: 'cpu', quantization: null };
  const answer = await server.ask(generate, {
    ...choice,
    id: 'a',
    adapter: null,
    prompt: { turn: 'Hi' },
    options: { max_new_tokens: 5 },
  });
  expect(answer).toMatchObject({ text: streamed, generatedTokens: 5, finishReason: 'length' });
  expect(await server.ask(countTokens, { ...choice, text: 'Hi, Hi' })).toBeGreaterThan(1);
});
