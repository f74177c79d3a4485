import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  closePreview,
  getPreviewRows,
  type PreviewState,
  previewNews,
  readPreview,
} from '../../server/protocol/data.ts';
import { countTokens, generate, generationPiece } from '../../server/protocol/generation.ts';
import { examineMachine } from '../../server/protocol/machine.ts';
import { listAdapters, listModels } from '../../server/protocol/models.ts';
import { controlRun, listRuns, startRun, watchRun } from '../../server/protocol/runs.ts';
import { TinyRuns } from '../engine/train/tiny-run.ts';
import { BackgroundServer } from '../support/background-server.ts';
import { BuiltCli } from '../support/built-cli.ts';

/** The server as the extension starts it: bundled, over IPC. */

let built: BuiltCli;
let tiny: TinyRuns;

beforeAll(async () => {
  built = await BuiltCli.build();
  tiny = await TinyRuns.create(built.folder);
});

afterAll(() => built.remove());

/** A server that is ended with the test. */
async function startServer(protocolVersion?: number): Promise<BackgroundServer> {
  const server = new BackgroundServer(path.join(built.folder, 'out'), {
    XDG_STATE_HOME: path.join(built.folder, 'state'),
  });
  onTestFinished(() => server.kill());
  await server.open(built.folder, protocolVersion);
  return server;
}

test('a client of another version is refused', async () => {
  await expect(startServer(99)).rejects.toThrow('reload the window');
});

test('a run survives the death of the server, and the next one shows all of it', async () => {
  const folder = tiny.fresh();
  const configFile = path.join(built.folder, 'endless.lorafa.json');
  const training = { max_steps: 1_000_000, output_dir: folder };
  await writeFile(configFile, tiny.configText({ training }));

  const first = await startServer();
  expect(await first.ask(startRun, { configFile, whenBusy: 'queue' })).toMatchObject({ folder });
  await first.until(() => first.summaries.some(({ status }) => status.step > 1));
  await first.kill();

  const second = await startServer();
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
  const server = await startServer();
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
    server.ask(readPreview, { id: 'x', configFile: '/missing.lorafa.json' }),
  ).rejects.toMatchObject({ code: -32803, data: { code: 'config.not_found' } });
});

test('data, machine, models, adapters and texts', async () => {
  const server = await startServer();
  const configFile = path.join(built.folder, 'preview.lorafa.json');
  await writeFile(configFile, tiny.configText());
  const states: PreviewState[] = [];
  server.connection.onNotification(
    previewNews.method,
    (news: { state: PreviewState }) => void states.push(news.state),
  );
  const id = 'one';
  await server.ask(readPreview, { id, configFile });
  expect(states.at(-1)).toMatchObject({ share: 1, isReading: false, report: { rows: 7 } });
  const first = await server.ask(getPreviewRows, { id, start: 0, count: 2 });
  expect(first.examples).toHaveLength(2);
  expect(first.examples[0]!.tokens.some(({ supervised }) => supervised)).toBe(true);
  const next = await server.ask(getPreviewRows, { id, start: 1, count: 2 });
  expect(next.examples[0]).toEqual(first.examples[1]);
  await server.ask(closePreview, { id });
  await expect(server.ask(getPreviewRows, { id, start: 0, count: 2 })).rejects.toMatchObject({
    data: { code: 'data.not_found' },
  });
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
