import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { giveHubToken } from '../../../engine/hub/hub-token.ts';
import { ObservedManager } from '../../server/runs/observed-manager.ts';
import { BuiltCli } from '../../support/built-cli.ts';
import { filesHolding } from '../../support/files-holding.ts';
import { CERTIFICATE } from '../../support/hub-server/certificate.ts';
import { HubWorld } from '../../support/hub-server/hub-world.ts';
import { encrypted, ProxyServer } from '../../support/hub-server/proxy-server.ts';
import type { HubRepository } from '../../support/hub-server/repositories.ts';
import {
  metaMathRepository,
  tinyModelRepository,
} from '../../support/hub-server/tiny-repositories.ts';
import { processesOf } from '../../support/processes-of.ts';

/* Downloads by processes that are killed, that want the same at once, and that know a secret. */

let built: BuiltCli;
let model: HubRepository;

beforeAll(async () => {
  built = await BuiltCli.build();
  model = await tinyModelRepository(path.join(built.folder, 'tiny'));
}, 60_000);

afterAll(() => built.remove());
afterEach(() => giveHubToken(undefined));

/** A user with a configuration that names what the hub has. */
async function userOf(
  access: HubRepository['access'] = 'public',
): Promise<{ world: HubWorld; configFile: string; run: string }> {
  const world = await HubWorld.create({ ...model, access }, metaMathRepository());
  const configFile = path.join(world.folder, 'own.lorafa.json');
  const run = path.join(world.folder, 'run');
  await writeFile(
    configFile,
    JSON.stringify({
      model: { base_model_name_or_path: model.name },
      data: { dataset_name_or_path: metaMathRepository().name, max_length: 64 },
      lora: { r: 2 },
      training: { output_dir: run, max_steps: 1 },
      engine: { device: 'cpu', intra_op_num_threads: 1 },
    }),
  );
  return { world, configFile, run };
}

test('killed at every request, the next try completes', { timeout: 240_000 }, async () => {
  const { world: first, configFile: whole } = await userOf();
  const args = (file: string): string[] => ['preview', file, '--rows', '1', '--json'];
  expect(await built.run(args(whole), { env: first.env })).toMatchObject({ code: 0 });
  const count = first.hub.requests.length;
  for (let number = 1; number <= count; number++) {
    const { world, configFile } = await userOf();
    let kill = (): void => undefined;
    world.hub.fault = (request) => {
      if (request.number !== number) return undefined;
      kill();
      return { cutAfter: 1000 };
    };
    const killed = await built.run(args(configFile), {
      env: world.env,
      onStart: (run) => {
        kill = () => void run.kill('SIGKILL');
      },
    });
    expect(killed.code).toBeNull();
    expect(await world.damage()).toEqual([]);
    expect(await built.run(args(configFile), { env: world.env })).toMatchObject({ code: 0 });
    expect(await world.damage()).toEqual([]);
    const left = await readdir(world.cache, { recursive: true });
    expect(left.filter((name) => /incomplete|\.tmp$|lorafa\.lock/.test(name))).toEqual([]);
  }
});

test('two processes at once fetch each file once', { timeout: 60_000 }, async () => {
  const { world, configFile } = await userOf();
  world.hub.fault = ({ host }) =>
    host === 'cdn' ? { pieceBytes: 20_000, pauseMs: 30 } : undefined;
  const outcomes = await Promise.all(
    [1, 2].map(() => built.run(['preview', configFile, '--json'], { env: world.env })),
  );
  expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
  const files = world.hub.requests.filter(({ host }) => host === 'cdn').map((each) => each.path);
  expect(new Set(files).size).toBe(files.length);
});

describe.skipIf(process.platform !== 'linux')('a token (on Linux)', () => {
  const CANARY = 'hf_canaryInTheMineXq7';

  /** The arguments and variables of a process. */
  async function shownBy(pid: number): Promise<string> {
    const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
    return (await read('cmdline')) + (await read('environ'));
  }

  test.each(['a message', 'HF_TOKEN'])(
    'by %s opens a gated model, and is seen nowhere',
    {
      timeout: 60_000,
    },
    async (way) => {
      const { world, configFile, run } = await userOf('gated');
      world.hub.tokens.add(CANARY);
      if (way === 'HF_TOKEN') process.env['HF_TOKEN'] = CANARY;
      else giveHubToken(CANARY);
      onTestFinished(() => void delete process.env['HF_TOKEN']);
      const seen: string[] = [];
      const script = path.join(built.folder, 'out/trainer.js');
      world.hub.fault = ({ host }) =>
        host === 'cdn' ? { pieceBytes: 9000, pauseMs: 40 } : undefined;
      const observed = new ObservedManager(
        world.folder,
        path.join(world.folder, 'registry'),
        script,
      );
      onTestFinished(() => observed.manager.dispose());
      await observed.manager.start(configFile, 'parallel');
      await observed.untilRun(run, ({ status }) => status.progress?.download !== undefined);
      for (const pid of await processesOf(built.folder)) seen.push(await shownBy(pid));
      const { status } = await observed.untilRun(run, ({ isLive }) => !isLive);
      expect(status).toMatchObject({ state: 'completed', reason: null });
      expect(seen.length).toBeGreaterThanOrEqual(2);
      expect(seen.join('')).not.toContain(CANARY);
      expect(await filesHolding(world.folder, CANARY)).toEqual([]);
    },
  );

  test('that the hub says again is in no log', { timeout: 60_000 }, async () => {
    const { world, configFile, run } = await userOf('gated');
    giveHubToken(CANARY);
    const headers = { 'x-error-message': `Bearer ${CANARY} is not let in` };
    world.hub.fault = () => ({ status: 403, headers });
    const script = path.join(built.folder, 'out/trainer.js');
    const observed = new ObservedManager(world.folder, path.join(world.folder, 'registry'), script);
    onTestFinished(() => observed.manager.dispose());
    await observed.manager.start(configFile, 'parallel');
    const { status } = await observed.untilRun(run, ({ isLive }) => !isLive);
    expect(status).toMatchObject({ state: 'failed', reason: { code: 'hub.forbidden' } });
    expect(status.reason?.message).toContain('“Bearer … is not let in”');
    expect(await filesHolding(world.folder, CANARY)).toEqual([]);
  });

  test('goes through a proxy in a tunnel, to the hub alone', { timeout: 60_000 }, async () => {
    const world = await HubWorld.create({ ...metaMathRepository(), access: 'gated' });
    world.hub.tokens.add(CANARY);
    const proxy = await ProxyServer.start();
    const certificate = path.join(world.folder, 'certificate.pem');
    await writeFile(certificate, CERTIFICATE);
    const file = path.join(world.folder, 'own.lorafa.json');
    const model = { base_model_name_or_path: path.join(built.folder, 'tiny') };
    const data = { dataset_name_or_path: metaMathRepository().name };
    await writeFile(file, JSON.stringify({ model, data, training: { output_dir: 'run' } }));
    const endpoint = await encrypted(world.hub.endpoint);
    const outcome = await built.run(['preview', file, '--rows', '1'], {
      env: {
        ...world.env,
        HF_ENDPOINT: endpoint,
        HF_TOKEN: CANARY,
        HTTPS_PROXY: `http://name:word@${proxy.host}`,
        NODE_EXTRA_CA_CERTS: certificate,
      },
    });
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('40 of 40 rows') });
    expect(new Set(proxy.requests)).toEqual(new Set([`CONNECT ${new URL(endpoint).host}`]));
    // The hub had the token, of which the proxy could not read a word.
    expect(world.hub.requests.map(({ authorization }) => authorization)).toContain(
      `Bearer ${CANARY}`,
    );
    expect(proxy.seen.length).toBeGreaterThan(1000);
    expect(proxy.seen).not.toContain(CANARY);
    expect(proxy.seen).not.toMatch(/bearer/i);
    expect(outcome.stderr).not.toContain('Warning');
  });
});
