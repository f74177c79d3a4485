import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { CancellationToken } from 'vscode-jsonrpc/node';
import { Generators } from '../../server/generator/generators.ts';
import { socketFolders } from '../../server/rpc/socket-folder.ts';
import { socketOwner } from '../../server/rpc/socket-name.ts';
import { defaultRegistryFolder } from '../../server/trainer/run-registry.ts';
import { run, TinyRuns } from '../engine/train/tiny-run.ts';
import { ObservedManager } from '../server/runs/observed-manager.ts';
import { BuiltCli } from '../support/built-cli.ts';
import { HubServer } from '../support/hub-server/hub-server.ts';
import {
  Interposer,
  NO_INTERPOSER,
  type Operation,
  readOperations,
} from './interposer/interposer.ts';

/*
 * What users train on stays on their machine: of all processes of the product every connection and
 * every change of a file is traced, with all places in which programs leave things by themselves
 * (home, cache, state and temporary folder) moved into a folder of the test.
 */

const CONNECTIONS: readonly string[] = ['connect', 'bind', 'send', 'lookup'];

describe.skipIf(NO_INTERPOSER !== undefined)(`traced (${NO_INTERPOSER ?? 'on Linux'})`, () => {
  let interposer: Interposer;
  let built: BuiltCli;

  beforeAll(async () => {
    [interposer, built] = await Promise.all([Interposer.build(), BuiltCli.build()]);
  }, 60_000);

  afterAll(() => Promise.all([interposer.remove(), built.remove()]));
  afterEach(() => void vi.unstubAllEnvs());

  /** A user with a model, data and folders of their own, whose processes are traced. */
  async function tracedUser(): Promise<{ tiny: TinyRuns; operations: () => Promise<Operation[]> }> {
    const folder = await mkdtemp(path.join(tmpdir(), 'lorafa-traced-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const inFolder = (name: string): string => path.join(folder, name);
    await Promise.all(['home', 'tmp', 'work'].map((name) => mkdir(inFolder(name))));
    const tiny = await TinyRuns.create(inFolder('work'));
    const trace = inFolder('trace');
    const places = {
      HOME: inFolder('home'),
      TMPDIR: inFolder('tmp'),
      XDG_CACHE_HOME: inFolder('cache'),
      XDG_STATE_HOME: inFolder('state'),
      XDG_CONFIG_HOME: inFolder('config'),
      LORAFA_CACHE_DIR: undefined,
      // Nobody's choice elsewhere may turn it on here.
      ORT_DISABLE_TELEMETRY: '0',
    };
    for (const [name, value] of Object.entries({ ...places, ...interposer.environment(trace) })) {
      vi.stubEnv(name, value);
    }
    return { tiny, operations: () => readOperations(trace) };
  }

  /** Writes a configuration with everything that leaves files; returns its path and run folder. */
  async function configured(tiny: TinyRuns): Promise<{ configFile: string; folder: string }> {
    const folder = tiny.fresh();
    const config = tiny.configText({
      model: { quantization: 'nf4' },
      data: { eval_dataset_name_or_path: tiny.data },
      training: { save_steps: 1, eval_steps: 1, sample_prompts: ['Hi'], output_dir: folder },
    });
    const configFile = `${folder}.lorafa.json`;
    await writeFile(configFile, config);
    return { configFile, folder };
  }

  /** The operations that nobody has asked for. */
  function strange(operations: readonly Operation[], ...runFolders: readonly string[]): string[] {
    const sockets = socketFolders()[0]!;
    const isSocket = (target: string): boolean =>
      path.dirname(target) === sockets &&
      socketOwner(path.basename(target).replace(/^\./, '')) !== undefined;
    const folders = [
      ...runFolders,
      path.join(process.env['XDG_CACHE_HOME']!, 'lorafa'),
      defaultRegistryFolder(),
    ];
    const isIn = (target: string, folder: string): boolean => `${target}/`.startsWith(`${folder}/`);
    const isOurs = ({ name, target }: Operation): boolean =>
      target === '/dev/null' ||
      isSocket(target) ||
      folders.some((folder) => isIn(target, folder)) ||
      // They are made where they are missing, with those above them.
      (name === 'mkdir' && [...folders, sockets].some((folder) => isIn(folder, target)));
    return operations
      .filter((operation) => {
        const { name, target } = operation;
        if (!CONNECTIONS.includes(name)) return !isOurs(operation);
        return !target.startsWith('unix:') || !isSocket(target.slice('unix:'.length));
      })
      .map(({ pid, name, target }) => `${pid} ${name} ${target}`);
  }

  test('a run of the command line, then its evaluation and an answer', async () => {
    const { tiny, operations } = await tracedUser();
    const { configFile, folder } = await configured(tiny);
    const trained = await built.run(['train', configFile, '--json']);
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    const evaluated = await built.run(['evaluate', configFile]);
    expect(evaluated).toMatchObject({ code: 0 });
    const answered = await built.run([
      'generate',
      tiny.model,
      '--adapter',
      folder,
      '--prompt',
      'Hi',
      '--max-new-tokens',
      '2',
    ]);
    expect(answered).toMatchObject({ code: 0 });
    const all = await operations();
    expect(all).toContainEqual(
      expect.objectContaining({ name: 'rename', target: path.join(folder, 'checkpoint-2') }),
    );
    expect(all.some(({ target }) => target.includes('/cache/lorafa/nf4/'))).toBe(true);
    expect(strange(all, folder)).toEqual([]);
  });

  test('an export with its card asks nobody; a push asks the hub alone, and only where it was told to', async () => {
    const { tiny, operations } = await tracedUser();
    const folder = tiny.fresh();
    await run(tiny.config({ training: { output_dir: folder } }));
    const output = path.join(tiny.folder, 'exports/first');
    await mkdir(path.dirname(output));
    const exported = await built.run(['export', folder, '--format', 'peft', '--output', output]);
    expect(exported).toMatchObject({ code: 0 });
    const hub = await HubServer.start();
    onTestFinished(() => hub.close());
    hub.tokens.add('hf_writes');
    const env = { HF_ENDPOINT: hub.endpoint, HF_TOKEN: 'hf_writes', HF_HOME: tiny.fresh('hf') };
    const push = (...args: string[]) =>
      built.run(['push', folder, '--repo', 'first', ...args], { env });
    expect(await push()).toMatchObject({ code: 2 });
    const before = await operations();
    expect(before.some(({ target }) => target.endsWith('/README.md'))).toBe(true);
    expect(strange(before, path.dirname(output))).toEqual([]);
    expect(await push('--dry-run')).toMatchObject({ code: 0 });
    expect(hub.requests.map(({ method }) => method)).not.toContain('POST');
    expect(await push('--yes')).toMatchObject({ code: 0 });
    expect(hub.find('somebody/first')).toBeDefined();
    const others = strange((await operations()).slice(before.length), path.dirname(output));
    expect(new Set(others.map((each) => each.replace(/^\d+ /, '')))).toEqual(
      new Set(['connect inet:127.0.0.1']),
    );
  });

  test('the doctor, which tries every device', async () => {
    const { operations } = await tracedUser();
    expect(await built.run(['doctor', '--json'])).toMatchObject({ code: 0 });
    expect(strange(await operations())).toEqual([]);
  });

  test('a run of the editor: trainer and computing process', async () => {
    const { tiny, operations } = await tracedUser();
    const { configFile, folder } = await configured(tiny);
    const script = path.join(built.folder, 'out/trainer.js');
    const observed = new ObservedManager(tiny.folder, defaultRegistryFolder(), script);
    onTestFinished(() => observed.manager.dispose());
    await observed.manager.start(configFile, 'parallel');
    const { status } = await observed.untilRun(folder, ({ isLive }) => !isLive);
    expect(status).toMatchObject({ state: 'completed', reason: null });
    const all = await operations();
    // Who watches the trainer connects to it, and is not traced itself.
    expect(all.filter(({ name }) => name === 'bind')).toHaveLength(1);
    const log = await readFile(path.join(folder, 'run.log'), 'utf8');
    const computing = Number(/computing in process (\d+)/.exec(log)?.[1]);
    expect(all.some(({ pid, name }) => pid === computing && name === 'rename')).toBe(true);
    expect(strange(all, folder)).toEqual([]);
  });

  test('the editor’s generator', async () => {
    const { tiny, operations } = await tracedUser();
    const generators = new Generators(path.join(built.folder, 'out/generator.js'), 60_000);
    onTestFinished(() => generators.dispose());
    await generators.generate({
      generation: {
        id: '1',
        adapter: null,
        prompt: { turn: 'Hi' },
        options: { max_new_tokens: 2 },
      },
      choice: { model: tiny.model, device: 'cpu', quantization: { doubleQuant: true } },
      onPiece: () => undefined,
      onProgress: () => undefined,
      token: CancellationToken.None,
    });
    const all = await operations();
    expect(all.some(({ target }) => target.includes('/cache/lorafa/nf4/'))).toBe(true);
    expect(strange(all)).toEqual([]);
  });
});
