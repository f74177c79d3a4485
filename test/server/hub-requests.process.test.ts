import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { CancellationTokenSource, createMessageConnection } from 'vscode-jsonrpc/node';
import { giveProxy } from '../../engine/hub/proxy.ts';
import { serveHub } from '../../server/hub-requests.ts';
import {
  downloadModel,
  downloadProgress,
  estimateStarter,
  hubTokenGiven,
  listGguf,
  listStarters,
  lookAtData,
  lookAtModel,
  proxyGiven,
  searchHub,
} from '../../server/protocol/hub.ts';
import { bundledProgram } from '../support/bundled-program.ts';
import { HubWorld } from '../support/hub-server/hub-world.ts';
import { ProxyServer } from '../support/hub-server/proxy-server.ts';
import { hubRepository } from '../support/hub-server/repositories.ts';
import { filesOf, metaMathRepository } from '../support/hub-server/tiny-repositories.ts';

const TOKEN = 'hf_canaryOfRequests';

const INSPECTOR = 'server/language/inspection/inspector-process.ts';

/** A client of a server whose hub has the demo's model for those who have a token, and data. */
async function client() {
  const world = await HubWorld.create(
    hubRepository('model', 'owner/demo', await filesOf('media/demo/base'), { access: 'gated' }),
    hubRepository('model', 'owner/demo-GGUF', {
      'demo.Q8_0.gguf': 'GGUF llama',
      'demo.NVFP4.gguf': 'GGUF',
      'demo.F16-00001-of-00002.gguf': 'GGUF',
      'demo.F16-00002-of-00002.gguf': 'GGUF and more',
    }),
    hubRepository('model', 'owner/empty-GGUF', { 'demo.NVFP4.gguf': 'GGUF' }),
    metaMathRepository(),
  );
  world.hub.tokens.add(TOKEN);
  const [toServer, toClient] = [new PassThrough(), new PassThrough()];
  const server = createMessageConnection(toServer, toClient);
  const own = createMessageConnection(toClient, toServer);
  const service = serveHub(server, await bundledProgram(INSPECTOR, ['koffi', 'onnxruntime-node']));
  onTestFinished(async () => {
    await service.dispose();
    own.dispose();
    server.dispose();
  });
  server.listen();
  own.listen();
  const ask = (message: { method: string }, params: object, source?: CancellationTokenSource) =>
    own.sendRequest<never>(message.method, params, (source ?? new CancellationTokenSource()).token);
  const signIn = (): Promise<void> => own.sendNotification(hubTokenGiven.method, { token: TOKEN });
  onTestFinished(() => own.sendNotification(hubTokenGiven.method, { token: null }));
  return { world, own, ask, signIn };
}

test('what is proposed to begin with asks nobody', async () => {
  const { world, ask } = await client();
  const { models } = (await ask(listStarters, {})) as { models: { name: string }[] };
  const memory = await ask(estimateStarter, { name: models[0]!.name });
  expect(memory).toMatchObject({ stored: expect.any(Number), limit: expect.any(Number) });
  expect(world.hub.requests).toEqual([]);
});

test('a model is found, looked at once its owner lets in, and downloaded in spite of a break', async () => {
  const { world, own, ask, signIn } = await client();
  expect(await ask(searchHub, { kind: 'model', text: 'demo' })).toMatchObject([
    { name: 'owner/demo', isGated: true },
    { name: 'owner/demo-GGUF', isGguf: true },
  ]);
  const name = 'owner/demo';
  const refused = ask(lookAtModel, { name });
  await expect(refused).rejects.toMatchObject({ data: { code: 'hub.gated' } });
  await signIn();
  expect(await ask(lookAtModel, { name })).toMatchObject({ memory: { nf4: null } });

  const texts: string[] = [];
  own.onNotification(
    downloadProgress.method,
    ({ text }: { text: string }) => void texts.push(text),
  );
  world.hub.fault = ({ host }) =>
    host === 'cdn' ? { pieceBytes: 50_000, pauseMs: 100 } : undefined;
  const source = new CancellationTokenSource();
  const download = ask(downloadModel, { name }, source).catch((error: unknown) => error);
  await vi.waitUntil(
    () => texts.some((text) => /[3-9]\d\d KiB of 1 MiB, .*left/.test(text)),
    10_000,
  );
  source.cancel();
  expect(await download).toBeInstanceOf(Error);
  world.hub.fault = () => undefined;
  world.hub.requests.length = 0;
  const place = (await ask(downloadModel, { name })) as string;
  expect(await readdir(place)).toContain('model.safetensors');
  expect(world.hub.requests.some(({ range }) => /^bytes=[1-9]/.test(range ?? ''))).toBe(true);
  expect(path.relative(world.cache, place)).toMatch(/^models--owner--demo/);
  expect(await world.damage()).toEqual([]);
});

test('a proxy that the editor is set to is gone through, by processes that are started as well', async () => {
  const { world, own, ask } = await client();
  const proxy = await ProxyServer.start();
  onTestFinished(() => giveProxy(undefined));
  await own.sendNotification(proxyGiven.method, { proxy: `http://${proxy.host}`, except: [] });
  await ask(searchHub, { kind: 'dataset', text: 'math' });
  expect(proxy.requests).toHaveLength(1);
  await ask(lookAtData, { name: metaMathRepository().name, rows: 2 });
  expect(proxy.requests).toHaveLength(world.hub.requests.length);
  await own.sendNotification(proxyGiven.method, { proxy: null, except: [] });
  await ask(searchHub, { kind: 'dataset', text: 'math' });
  expect(proxy.requests).toHaveLength(world.hub.requests.length - 1);
});

test('files of GGUF that can be read, and what has none', async () => {
  const { ask } = await client();
  expect(await ask(listGguf, { name: 'owner/demo-GGUF' })).toEqual([
    { file: 'demo.Q8_0.gguf', bytes: 10 },
    { file: 'demo.F16-00001-of-00002.gguf', bytes: 17 },
  ]);
  const none = ask(listGguf, { name: 'owner/empty-GGUF' });
  await expect(none).rejects.toThrow(/has no file with weights in a form that is read/);
});

test('rows of data, and what is no name of data', async () => {
  const { world, ask } = await client();
  expect(await ask(lookAtData, { name: 'meta-math/MetaMathQA-40K' })).toMatchObject({
    columns: ['query', 'response', 'type', 'original_question'],
    rows: { length: 5 },
    recognised: expect.stringContaining('query'),
  });
  expect(await readdir(world.cache).catch(() => [])).toEqual([]);
  await expect(ask(lookAtData, { name: '/etc/passwd' })).rejects.toMatchObject({
    data: { code: 'config.invalid_value' },
  });
});

test('a search that nobody waits for any more ends at once', async () => {
  const { world, ask } = await client();
  world.hub.fault = () => 'hang';
  const source = new CancellationTokenSource();
  const search = ask(searchHub, { kind: 'dataset', text: 'math' }, source);
  await vi.waitUntil(() => world.hub.requests.length > 0);
  source.cancel();
  expect(await search).toEqual([]);
});
