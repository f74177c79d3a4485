import { type ChildProcess, spawn } from 'node:child_process';
import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import { readLock } from '../../engine/train/run-lock.ts';
import { runCli } from '../../server/cli-process.ts';
import { Generators } from '../../server/generator/generators.ts';
import { TinyRuns } from '../engine/train/tiny-run.ts';
import { BuiltCli } from '../support/built-cli.ts';
import {
  BACKTRACKING,
  ENDLESS_TEMPLATE,
  ENDLESS_TEXT,
  writeHostileModel,
} from '../support/hostile-model.ts';
import { ObservedManager } from './runs/observed-manager.ts';

/** Processors' seconds that loading a tiny model never takes, so that the process is blocked then. */
const BUSY_SECONDS = 3;

/** Milliseconds in which an orphan is gone; what blocks it would go on for a minute. */
const GONE_MS = 15_000;

let built: BuiltCli;
let tiny: TinyRuns;
let out: string;
let parentScript: string;
let model: string;
let configFile: string;

beforeAll(async () => {
  built = await BuiltCli.build();
  tiny = await TinyRuns.create(built.folder);
  out = path.join(built.folder, 'out');
  parentScript = path.join(built.folder, 'parent.mjs');
  await build({
    entryPoints: ['test/server/blocked-parent.ts'],
    outfile: parentScript,
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    external: ['koffi', 'onnxruntime-node'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  model = path.join(built.folder, 'hostile');
  await writeHostileModel(model, { 'tokenizer.json': { pre_tokenizer: BACKTRACKING } });
  configFile = await configured(model, [
    { question: ENDLESS_TEXT + ' '.repeat(2_500_000), answer: 'So.' },
  ]);
});

afterAll(() => built.remove());

async function configured(base: string, rows: readonly object[]): Promise<string> {
  const name = path.basename(base);
  const data = await tiny.file(`${name}.jsonl`, rows.map((row) => JSON.stringify(row)).join('\n'));
  const config = tiny.configText({
    model: { base_model_name_or_path: base },
    data: { dataset_name_or_path: data },
  });
  const file = path.join(built.folder, `${name}.lorafa.json`);
  await writeFile(file, config);
  return file;
}

describe.runIf(process.platform === 'linux')(
  'a process that is blocked ends soon after its parent was killed',
  { timeout: 120_000 },
  () => {
    test.each(['generator', 'inspector', 'cli'])('%s', async (kind) => {
      const args = [parentScript, kind, out, model, configFile, ENDLESS_TEXT];
      const parent = spawn(process.execPath, args, { stdio: 'inherit' });
      onTestFinished(() => void parent.kill('SIGKILL'));
      const child = await childOf(parent);
      onTestFinished(() => kill(child));
      await untilBusy(child);
      parent.kill('SIGKILL');
      await untilGone(child);
    });

    test('a command that hears of it removes first what it has half written', async () => {
      const [script, half] = ['hearing.mjs', 'half'].map((name) => path.join(built.folder, name));
      await build({
        stdin: {
          contents: `
            import { rmSync, writeFileSync } from 'node:fs';
            import { outputLost, whenOutputIsLost } from './server/cli/lost-output.ts';
            import { endWithNamedParent } from './server/end-with-parent.ts';
            endWithNamedParent();
            process.stdout.on('error', outputLost);
            whenOutputIsLost(() => undefined);
            process.on('SIGTERM', () => { rmSync(process.argv[2]); process.exit(); });
            writeFileSync(process.argv[2], String(process.pid));
            setInterval(() => process.stdout.write('news'), 50);`,
          resolveDir: '.',
        },
        ...{ outfile: script!, bundle: true, format: 'esm', platform: 'node' },
      });
      const parent = spawn(process.execPath, [
        '-e',
        `require('node:child_process').spawn(process.execPath, ${JSON.stringify([script, half])},
          { env: { ...process.env, LORAFA_ENDS_WITH: String(process.pid) } })`,
      ]);
      onTestFinished(() => void parent.kill('SIGKILL'));
      const child = Number(await untilWritten(half!));
      onTestFinished(() => kill(child));
      parent.kill('SIGKILL');
      await untilGone(child);
      await expect(access(half!)).rejects.toThrow('ENOENT');
    });

    test('computing', async () => {
      const observed = new ObservedManager(
        built.folder,
        path.join(built.folder, 'registry'),
        path.join(out, 'trainer.js'),
      );
      onTestFinished(() => observed.manager.dispose());
      const { folder } = await observed.manager.start(configFile, 'parallel');
      await observed.follow(folder);
      const supervisor = (await readLock(folder))!.pid;
      onTestFinished(() => kill(supervisor));
      const pid = (): string | undefined =>
        observed.lines
          .map(({ text }) => /^computing in process (\d+)$/.exec(text)?.[1])
          .find((found) => found !== undefined);
      await observed.until(() => pid() !== undefined);
      const child = Number(pid());
      onTestFinished(() => kill(child));
      await untilBusy(child);
      process.kill(supervisor, 'SIGKILL');
      await untilGone(child);
    });
  },
);

describe('cancelling answers at once, and ends what is blocked', () => {
  test.runIf(process.platform === 'linux')('a command that hears no signal', async () => {
    const script = path.join(built.folder, 'deaf.mjs');
    const pidFile = path.join(built.folder, 'deaf.pid');
    await writeFile(
      script,
      `import { writeFileSync } from 'node:fs';
       process.on('SIGTERM', () => undefined);
       writeFileSync(process.argv[2], String(process.pid));
       /^(a+)+$/.test(${JSON.stringify(ENDLESS_TEXT)});`,
    );
    const source = new CancellationTokenSource();
    const answer = runCli(script, [pidFile], source.token);
    const pid = Number(await untilWritten(pidFile));
    onTestFinished(() => kill(pid));
    await untilBusy(pid, 0.5);
    source.cancel();
    await expect(Promise.race([answer, delay(500)])).rejects.toThrow('was cancelled');
    await untilGone(pid);
  });

  test('a generator', async () => {
    const generators = new Generators(path.join(out, 'generator.js'));
    onTestFinished(() => generators.dispose());
    const endless = path.join(built.folder, 'endless');
    await writeHostileModel(endless, {
      'tokenizer_config.json': { chat_template: ENDLESS_TEMPLATE },
    });
    const write = (turn: string, source: CancellationTokenSource) =>
      generators.generate({
        generation: { id: turn, adapter: null, prompt: { turn }, options: { max_new_tokens: 1 } },
        choice: { model: endless, device: 'cpu', quantization: null },
        onPiece: () => undefined,
        onProgress: () => undefined,
        token: source.token,
      });
    const source = new CancellationTokenSource();
    const cancelled = write('one', source);
    await delay(2000);
    source.cancel();
    const answer = await Promise.race([cancelled, delay(3000)]);
    expect(answer).toMatchObject({ finishReason: 'abort', text: '' });
    await expect(write('two', new CancellationTokenSource())).rejects.toMatchObject({
      message: expect.stringContaining('took more than 10 seconds') as string,
      data: { code: 'data.chat_template' },
    });
  });
});

async function childOf(parent: ChildProcess): Promise<number> {
  for (;;) {
    const tasks = await readdir(`/proc/${parent.pid}/task`);
    for (const task of tasks) {
      const text = await readFile(`/proc/${parent.pid}/task/${task}/children`, 'utf8');
      const [child] = text.split(' ').filter(Boolean);
      if (child !== undefined) return Number(child);
    }
    await delay(50);
  }
}

/** State and processors' seconds of a process, from `/proc/PID/stat`; undefined when it is gone. */
async function statOf(pid: number): Promise<{ state: string; seconds: number } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0]!, seconds: (Number(fields[11]) + Number(fields[12])) / 100 };
}

async function untilBusy(pid: number, seconds = BUSY_SECONDS): Promise<void> {
  for (;;) {
    const stat = await statOf(pid);
    if (stat === undefined || stat.state === 'Z') throw new Error(`Process ${pid} has ended.`);
    if (stat.seconds >= seconds) return;
    await delay(50);
  }
}

async function untilGone(pid: number): Promise<void> {
  const end = performance.now() + GONE_MS;
  for (;;) {
    const stat = await statOf(pid);
    if (stat === undefined || stat.state === 'Z') return;
    if (performance.now() > end) throw new Error(`Process ${pid} goes on (${stat.state}).`);
    await delay(50);
  }
}

async function untilWritten(file: string): Promise<string> {
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text !== '') return text;
    await delay(20);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
