import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { BuiltCli, type Outcome } from '../../support/built-cli.ts';
import { processesOf } from '../../support/processes-of.ts';
import { lacks, REFERENCE_PYTHON } from '../../support/reference-python.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';

let cli: BuiltCli;

const lorafa = (...args: readonly string[]): Promise<Outcome> => cli.run(args);
const inFolder = (name: string): string => path.join(cli.folder, name);

/** For so long a program sleeps that is no Python: no other does. */
const SECONDS = `86400.${process.pid}`;

/** Values with which a run is that of a second machine. */
const OTHER_MACHINE = [
  'accelerate.num_processes=2',
  'accelerate.num_machines=2',
  'accelerate.machine_rank=1',
  'accelerate.main_process_ip=127.0.0.1',
  'training.gradient_accumulation_steps=2',
];

/** The events of a run with --json. */
function eventsOf({ stdout }: Outcome): Record<string, unknown>[] {
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

beforeAll(async () => {
  cli = await BuiltCli.build();
  await writeTinyModel(inFolder('model'));
  const rows = Array.from({ length: 12 }, (_, i) => ({ question: `${i}+1?`, answer: `${i + 1}` }));
  await writeFile(inFolder('rows.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  await writeFile(
    inFolder('run.lorafa.json'),
    `{
      // a comment
      "model": { "base_model_name_or_path": "./model" },
      "data": { "dataset_name_or_path": "./rows.jsonl[:8]", "eval_dataset_name_or_path": "./rows.jsonl[8:]" },
      "lora": { "r": 4 },
      "training": { "output_dir": "./result", "max_steps": 4, "learning_rate": 0.01 },
      "engine": { "device": "cpu", "intra_op_num_threads": 1 },
    }`,
  );
}, 60_000);

afterAll(() => cli.remove());

/** A run whose standard output takes nothing. */
function fullDisk(...args: readonly string[]): Promise<Outcome> {
  const script = path.join(cli.folder, 'out/cli.js');
  const run = spawn('sh', ['-c', 'exec "$0" "$@" > /dev/full', process.execPath, script, ...args], {
    cwd: cli.folder,
  });
  let stderr = '';
  run.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    run.on('error', reject);
    run.on('close', (code) => resolve({ code, stdout: '', stderr }));
  });
}

describe('help', () => {
  test.runIf(process.platform === 'linux')('that has no room ends with its reason', async () => {
    const { code, stderr } = await fullDisk('--help');
    expect(stderr).toBe('Cannot write to standard output: the disk is full; send it elsewhere.\n');
    expect(code).toBe(6);
  });

  test('lists commands and exit codes', async () => {
    const { code, stdout } = await lorafa('--help');
    expect(code).toBe(0);
    for (const command of [
      'train',
      'finish',
      'metrics',
      'export',
      'push',
      'generate',
      'evaluate',
      'plan',
      'measure',
      'preview',
      'cache',
      'cuda',
      'doctor',
    ])
      expect(stdout).toContain(command);
    expect(stdout).toContain('130  interrupted');
  });
});

describe('wrong command lines end with 2', () => {
  test.concurrent.each([
    [['trian'], "unknown command 'trian'"],
    [['generate', 'model', '--prompt', 'x', '--top-k', 'few'], 'It must be a number'],
    [['generate', 'model', '--prompt', 'x', '--top-p', '7'], 'top_p is 7 and must be'],
    [['train'], 'lorafa train needs a configuration file'],
    [['train', 'a.lorafa.json', '--lorafa'], '--lorafa cannot be used together with'],
    [['evaluate', 'model'], 'needs --data'],
    [
      ['evaluate', 'run.lorafa.json', '--set', 'data.eval_dataset_name_or_path=null'],
      'There are no held-out rows',
    ],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await lorafa(...args);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('a wrong configuration', () => {
  const text = '{\n  "model": {},\n  "data": { "dataset": 1 }\n}';

  test('has every problem on a line of its own', async () => {
    await writeFile(inFolder('wrong.lorafa.json'), text);
    const { code, stderr } = await lorafa('train', 'wrong.lorafa.json');
    expect(code).toBe(2);
    expect(stderr.trimEnd().split('\n')).toEqual([
      'wrong.lorafa.json:1:1: the section `training` is missing; it must at least hold `output_dir`',
      'wrong.lorafa.json:2:3: `model.base_model_name_or_path` is missing; it must be a string that is not empty',
      expect.stringContaining('wrong.lorafa.json:3:3: `data.dataset_name_or_path` is missing'),
      'wrong.lorafa.json:3:13: `data.dataset` is not a key; did you mean `data.dataset_name_or_path`?',
    ]);
  });

  test('is one failed event with --json', async () => {
    await writeFile(inFolder('wrong.lorafa.json'), text);
    const { code, stdout, stderr } = await lorafa('train', 'wrong.lorafa.json', '--json');
    expect(code).toBe(2);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      type: 'failed',
      code: 'config.invalid_value',
      message:
        'wrong.lorafa.json:1:1: the section `training` is missing; it must at least hold `output_dir` (and 3 more problems)',
    });
  });
});

test('a missing model ends with 3 and writes nothing', async () => {
  const before = await readdir(cli.folder);
  const { code, stderr } = await lorafa(
    'train',
    '--base_model_name_or_path',
    './no-model',
    '--dataset_name_or_path',
    './rows.jsonl',
    '--lorafa',
  );
  expect(stderr).toContain('no-model');
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(code).toBe(3);
  expect(await readdir(cli.folder)).toEqual(before);
});

test('the doctor finds the CPU', async () => {
  const { code, stdout } = await lorafa('doctor', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    node: process.versions.node,
    onnxruntime: { devices: expect.arrayContaining([{ device: 'cpu', usable: true }]) as unknown },
  });
});

describe('a run', () => {
  test('trains, then its result is evaluated and writes', async () => {
    const trained = await lorafa(
      'train',
      'run.lorafa.json',
      '--json',
      '--set',
      'training.save_steps=2',
    );
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    const events = eventsOf(trained).filter(({ type }) => type !== 'progress');
    expect(events.map(({ type }) => type)).toEqual([
      'started',
      'eval',
      'step',
      'step',
      'checkpoint',
      'step',
      'step',
      'eval',
      'checkpoint',
      'completed',
    ]);
    expect(events[2]).toEqual({
      type: 'step',
      step: 1,
      maxSteps: 4,
      epoch: 0.125,
      loss: expect.any(Number) as unknown,
      grad_norm: expect.any(Number) as unknown,
      learning_rate: 0.01,
      num_tokens: expect.any(Number) as unknown,
      tokens_per_second: expect.any(Number) as unknown,
    });
    expect(events.at(-1)).toMatchObject({ adapter_dir: inFolder('result'), steps: 4 });
    await access(inFolder('result/adapter_model.safetensors'));

    const tuned = await lorafa('evaluate', 'run.lorafa.json', '--json');
    const base = await lorafa('evaluate', 'run.lorafa.json', '--no-adapter', '--json');
    const losses = [tuned, base].map((each) => eventsOf(each)[0]?.['eval_loss'] as number);
    expect(losses[0]).toBeCloseTo(events[7]?.['eval_loss'] as number, 5);
    expect(losses[0]).toBeLessThan(losses[1]!);
    expect(losses[1]).toBeCloseTo(events[1]?.['eval_loss'] as number, 5);
    const model = await lorafa('evaluate', 'model', '--data', 'rows.jsonl[8:]', '--json');
    expect(eventsOf(model)[0]?.['eval_loss']).toBeCloseTo(losses[1]!, 5);

    const args = ['generate', 'model', '--adapter', 'result', '--raw', '--max-new-tokens', '5'];
    const streamed = await cli.run(args, { input: 'abc\n' });
    expect(streamed).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^adapter: (\d+) of \1 modules matched\n$/) as unknown,
    });
    const whole = await cli.run([...args, '--json', '--prompt', 'abc']);
    const { text, promptTokens } = eventsOf(whole)[0]!;
    expect(promptTokens).toBe(3);
    expect(text).not.toBe('');
    expect(streamed.stdout).toBe(`${String(text)}\n`);
  });

  test('on a base in NF4, quantized once', async () => {
    vi.stubEnv('LORAFA_CACHE_DIR', inFolder('cache'));
    onTestFinished(() => void vi.unstubAllEnvs());
    const trained = await lorafa(
      ...['train', 'run.lorafa.json', '--set', 'model.quantization=nf4'],
      ...['--set', 'training.output_dir=quantized'],
    );
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    expect(trained.stdout).toContain('quantizing weights: done\n');
    const written = await lorafa(
      ...['generate', 'model', '--quantize', '--adapter', 'quantized', '--raw', '--prompt', 'abc'],
      ...['--max-new-tokens', '3', '--json'],
    );
    expect(written.stderr).not.toContain('quantizing');
    expect(eventsOf(written)[0]).toMatchObject({ promptTokens: 3 });

    const listed = await lorafa('cache');
    expect(listed.stdout).toMatch(
      /^Weights in .*cache: .* of at most 50.0 GiB\n.* in NF4 .* model\n$/,
    );
    expect((await lorafa('cache', '--clear')).stdout).toMatch(/^Removed .* of weights from/);
    expect(eventsOf(await lorafa('cache', '--json'))[0]).toMatchObject({ entries: [] });
  });

  test('shows its progress as lines where there is no terminal', async () => {
    const { code, stdout } = await lorafa(
      ...['train', 'run.lorafa.json', '--set', 'training.output_dir=plain'],
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^step 1\/4 {2}epoch 0\.13 {2}loss \d/m);
    expect(stdout).toContain(`saved in ${inFolder('plain')}\n`);
    expect(stdout).not.toContain('\u001B');
  });

  test('into a folder that holds a run, is refused with flags that work', async () => {
    const args = ['train', 'run.lorafa.json', '--set', 'training.max_steps=1'];
    const into = (output: string) => lorafa(...args, '--set', `training.output_dir=${output}`);
    expect((await into('taken')).code).toBe(0);
    const { code, stderr } = await into('taken');
    expect(code).toBe(6);
    const [, flag] = /holds a run already; start anew beside it with --set (\S+)\.\n/.exec(stderr)!;
    expect(flag).toBe(`training.output_dir=${inFolder('taken-2')}`);
    expect((await lorafa(...args, '--set', flag!)).code).toBe(0);
  });

  /** A run without end that gets signals when its output first holds a text. */
  function signalled(output: string, text: string, ...signals: readonly NodeJS.Signals[]) {
    let isSent = false;
    return cli.run(
      [
        ...['train', 'run.lorafa.json', '--json', '--set', 'training.max_steps=100000'],
        ...['--set', `training.output_dir=${output}`],
      ],
      {
        onOutput: (printed, run) => {
          if (isSent || !printed.includes(text)) return;
          isSent = true;
          for (const signal of signals) run.kill(signal);
        },
      },
    );
  }

  test.each(['SIGINT', 'SIGHUP'] as const)(
    'ends with 130 and a checkpoint after %s',
    async (signal) => {
      const outcome = await signalled(`stopped-${signal}`, '"type":"step"', signal);
      expect(outcome.code).toBe(130);
      const last = eventsOf(outcome).at(-1);
      expect(last).toMatchObject({
        type: 'stopped',
        checkpoint_dir: expect.any(String) as unknown,
      });
      await access(String(last?.['checkpoint_dir']));
    },
  );

  test('that was stopped is finished at a checkpoint, and still goes on', async () => {
    await signalled('finished', '"type":"step"', 'SIGINT');
    const best = await finish('--checkpoint', 'best');
    // It may have been stopped just after a step that was evaluated.
    expect(`${best.stdout}${best.stderr}`).toMatch(/is that of step \d|was evaluated/);
    const latest = await finish('--json');
    expect(latest.code).toBe(0);
    const { steps } = JSON.parse(latest.stdout) as { steps: number };
    const checkpoint = inFolder(`finished/checkpoint-${steps}`);
    for (const name of ['adapter_model.safetensors', 'adapter_config.json']) {
      const [result, saved] = [inFolder('finished'), checkpoint].map((folder) =>
        readFile(path.join(folder, name)),
      );
      expect(await result).toEqual(await saved);
    }
    const elsewhere = await finish('--checkpoint', 'result/checkpoint-4');
    expect(elsewhere.stderr).toContain('is no checkpoint of the run in');
  });

  test('prints what was measured', async () => {
    const { code, stdout } = await lorafa('metrics', 'result');
    expect(code).toBe(0);
    const [heading, ...rows] = stdout.trimEnd().split('\r\n');
    expect(heading).toMatch(/^step,time,epoch,loss,/);
    expect(rows.map((row) => row.split(',')[0])).toEqual(['0', '1', '2', '3', '4']);
    const json = await lorafa('metrics', 'result', '--json');
    expect(JSON.parse(json.stdout.split('\n')[0]!)).toMatchObject({ step: 0, loss: null });
    expect(json.stderr).toBe('');
    await mkdir(inFolder('damaged'));
    const journal = await readFile(inFolder('result/events.jsonl'), 'utf8');
    await writeFile(inFolder('damaged/events.jsonl'), `${journal}x\ny\n`);
    const damaged = await lorafa('metrics', 'damaged');
    expect(damaged).toMatchObject({ code: 0, stdout });
    expect(damaged.stderr).toMatch(
      /^warning: .*damaged.events\.jsonl line \d+ and 1 more are damaged and were left out\.\n$/,
    );
    const missing = await lorafa('metrics', 'nowhere');
    expect(missing).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(
        'is not the folder of a run: it has no events.jsonl',
      ) as unknown,
    });
  });

  function finish(...args: readonly string[]): Promise<Outcome> {
    return lorafa('finish', 'finished', ...args);
  }

  test('ends with a checkpoint when nobody reads any more what it prints', async () => {
    let isClosed = false;
    const args = [
      '--json',
      '--set',
      'training.max_steps=100000',
      '--set',
      'training.output_dir=unread',
    ];
    const { code } = await cli.run(['train', 'run.lorafa.json', ...args], {
      onOutput: (printed, run) => {
        if (isClosed || !printed.includes('"type":"step"')) return;
        isClosed = true;
        run.stdout?.destroy();
      },
    });
    expect(code).toBe(130);
    const journal = await readFile(inFolder('unread/events.jsonl'), 'utf8');
    const last = JSON.parse(journal.trimEnd().split('\n').at(-1)!) as Record<string, unknown>;
    expect(last).toMatchObject({ type: 'stopped' });
    await access(String(last['checkpoint_dir']));
  });

  test.runIf(process.platform === 'linux')(
    'ends with a checkpoint when what it prints has no room',
    async () => {
      const folder = inFolder('no-room');
      const { code, stderr } = await fullDisk(
        ...['train', 'run.lorafa.json', '--json', '--set', 'training.max_steps=100000'],
        ...['--set', `training.output_dir=${folder}`],
      );
      expect(code).toBe(130);
      expect(stderr.split('Cannot write to standard output: the disk is full;')).toHaveLength(2);
      expect(stderr).not.toContain('    at ');
    },
  );

  test('ends at once after a second signal, and its journal says so', async () => {
    const outcome = await signalled('cancelled', '"type":"step"', 'SIGINT', 'SIGTERM');
    expect(outcome.code).toBe(130);
    expect(outcome.stderr).toMatch(
      /Stopped at once; .*training\.resume_from_checkpoint=latest\.\n$/,
    );
    const journal = await readFile(inFolder('cancelled/events.jsonl'), 'utf8');
    expect(JSON.parse(journal.trimEnd().split('\n').at(-1)!)).toMatchObject({ type: 'cancelled' });
  });

  test('ends at once before its first step, and leaves nothing', async () => {
    const outcome = await signalled('early', '"type":"progress"', 'SIGINT');
    expect(outcome.code).toBe(130);
    await expect(access(inFolder('early'))).rejects.toThrow('ENOENT');
  });

  test.skipIf(process.platform !== 'linux').each([
    ['a run', ['train'], []],
    ['a run of another machine', ['train'], OTHER_MACHINE],
    ['a look at it', ['accelerate', 'check'], []],
  ])('leaves no Python that hangs: %s', async (_, command, others) => {
    const hanging = `sleep\0${SECONDS}`;
    const temporary = inFolder('temporary');
    await mkdir(temporary, { recursive: true });
    await writeFile(inFolder('hanging'), `#!/bin/sh\nsleep ${SECONDS}\n`);
    await chmod(inFolder('hanging'), 0o755);
    const sets = [
      ...['engine.backend=accelerate', 'accelerate.python=./hanging', ...others],
      // What earlier tests have trained lies in the other one.
      'training.output_dir=hanging-run',
    ];
    const { code } = await cli.run(
      [...command, 'run.lorafa.json', ...sets.flatMap((each) => ['--set', each])],
      {
        env: { TMPDIR: temporary },
        onStart: (run) => {
          void vi
            .waitUntil(async () => (await processesOf(hanging)).length > 0, { timeout: 60_000 })
            .finally(() => run.kill('SIGINT'));
        },
      },
    );
    expect(code).toBe(130);
    await expect.poll(() => processesOf(hanging)).toEqual([]);
    expect(await readdir(temporary)).toEqual([]);
  });

  test('of several machines is refused before it starts where its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const sets = [
      ...['engine.backend=accelerate', 'accelerate.machine_rank=0'],
      `accelerate.main_process_port=${port}`,
    ];
    const given = [...OTHER_MACHINE, ...sets].flatMap((each) => ['--set', each]);
    const { code, stderr } = await lorafa('accelerate', 'check', 'run.lorafa.json', ...given);
    expect(code).toBe(5);
    expect(stderr).toMatch(new RegExp(`cannot listen at port ${port} \\(.*EADDRINUSE.*; set acc`));
  });

  test("takes the command line of PEFT's example", async () => {
    const { code, stderr } = await lorafa(
      ...['train', '--base_model_name_or_path', 'model', '--dataset_name_or_path', 'rows.jsonl'],
      ...['--lorafa', '--num_epochs', '0.2', '--lora_target_modules', 'q_proj,v_proj'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const config: unknown = JSON.parse(
      await readFile(inFolder('trainer_output/adapter_config.json'), 'utf8'),
    );
    expect(config).toMatchObject({ r: 16, target_modules: ['q_proj', 'v_proj'] });
  });
});

describe('export', () => {
  test('writes a model for other programs, and says that all of it was read back', async () => {
    const args = ['export', 'model', '--format', 'gguf', '--output', 'model.gguf'];
    const { code, stdout } = await lorafa(...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /model\.gguf: .* in f16; 20 of 20 tensors read back, every value as it was meant\.\n$/,
    );
    const again = await lorafa(...args, '--json');
    expect(again.code).toBe(6);
    expect(eventsOf(again)).toEqual([
      expect.objectContaining({ type: 'failed', code: 'output.not_writable' }),
    ]);
    const events = eventsOf(await lorafa(...args.slice(0, -1), 'other.gguf', '--json'));
    expect(events[0]).toMatchObject({ type: 'progress', task: 'writing' });
    expect(events.at(-1)).toMatchObject({ type: 'exported', format: 'gguf', tensors: 20 });
  });

  test('says how much each format takes before', async () => {
    const { code, stdout } = await lorafa('export', 'model', '--sizes');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^merged +f32 .* KiB, f16 .*, bf16 .* \(f32 unless another/m);
    expect(stdout).toMatch(/^peft +.* has no adapter_config\.json/m);
    const [{ type, sizes }] = eventsOf(await lorafa('export', 'model', '--sizes', '--json')) as [
      { readonly type: string; readonly sizes: readonly { readonly format: string }[] },
    ];
    expect(type).toBe('sizes');
    expect(sizes.map(({ format }) => format)).toContain('ollama');
  });

  test('says of what is no result that no format can be had, and fails', async () => {
    for (const flags of [[], ['--json']]) {
      const { code, stdout } = await lorafa('export', 'nothing', '--sizes', ...flags);
      expect(code).toBe(3);
      for (const format of ['merged', 'peft', 'ollama']) expect(stdout).toContain(format);
    }
  });

  test('leaves nothing when it is interrupted', async () => {
    await writeTinyModel(inFolder('deep'), { layers: 300 });
    const output = inFolder('exports/deep');
    const args = ['export', 'deep', '--format', 'merged', '--output', output, '--json'];
    const once = (signal: 'SIGINT' | 'SIGKILL') => (text: string, run: ChildProcess) => {
      if (text.trimEnd().split('\n').length === 1) run.kill(signal);
    };
    const interrupted = await cli.run(args, { onOutput: once('SIGINT') });
    expect(interrupted.code).toBe(130);
    expect(eventsOf(interrupted).at(-1)).toMatchObject({
      type: 'failed',
      code: 'export.cancelled',
    });
    expect(await readdir(inFolder('.'))).not.toContain('exports');
    // What a process that was killed leaves, the next one removes.
    const killed = await cli.run(args, { onOutput: once('SIGKILL') });
    expect(killed.code).toBeNull();
    expect(await readdir(inFolder('exports'))).toHaveLength(1);
    expect((await cli.run(args)).code).toBe(0);
    expect(await readdir(inFolder('exports'))).toEqual(['deep']);
  });

  test.each([
    [['--format', 'gguf'], 'An export needs --output; without either, --sizes says'],
    [['--output', 'x'], 'An export needs --format'],
    [
      ['--format', 'pt', '--output', 'x'],
      'Allowed choices are peft, merged, gguf, gguf-adapter, ollama, onnx',
    ],
    [['--format', 'gguf', '--dtype', 'q5_k_m', '--output', 'x'], 'llama-quantize'],
  ])('%j is wrong', async (args, message) => {
    const { code, stderr } = await lorafa('export', 'model', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('plan', () => {
  test('estimates a run without starting it', async () => {
    const { code, stdout } = await lorafa('plan', 'run.lorafa.json', '--set', 'lora.r=2');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Parameters +[\d,]+ trainable of [\d,]+ \(/m);
    expect(stdout).toMatch(/^Training data +\d+ rows, [\d,]+ tokens, [\d,]+ supervised$/m);
    expect(stdout).toMatch(/^Memory at peak +\d+ MiB of /m);
  });

  test.skipIf(lacks('yaml'))('with the processes of a file of Accelerate', async () => {
    await writeFile(inFolder('accelerate.yaml'), 'num_processes: 2\n');
    const sets = [
      'engine.backend=accelerate',
      'training.gradient_accumulation_steps=2',
      `accelerate.python=${REFERENCE_PYTHON}`,
      'accelerate.config_file=accelerate.yaml',
    ].flatMap((each) => ['--set', each]);
    const [estimate] = eventsOf(await lorafa('plan', 'run.lorafa.json', '--json', ...sets));
    expect(estimate).toMatchObject({ processes: 2 });
  });

  test('as JSON', async () => {
    const [estimate] = eventsOf(await lorafa('plan', 'run.lorafa.json', '--json'));
    expect(estimate).toMatchObject({
      steps: expect.any(Number),
      parameters: { trainable: expect.any(Number) },
      memory: { total: expect.any(Number) },
    });
  });
});

test('measure times steps, in words and as JSON', async () => {
  const words = await lorafa('measure', 'run.lorafa.json');
  expect(words.code).toBe(0);
  expect(words.stdout).toMatch(/^[\d,]+ tokens per second in the median of \d+ steps$/m);
  const [speed] = eventsOf(await lorafa('measure', 'run.lorafa.json', '--json'));
  expect(speed).toEqual({ tokensPerSecond: expect.any(Number), steps: expect.any(Number) });
});

describe('preview', () => {
  test('marks the tokens of the answer', async () => {
    const { code, stdout } = await lorafa('preview', 'run.lorafa.json', '--rows', '1');
    expect(code).toBe(0);
    expect(stdout).toContain('assistant↵\n⟦1⟧⟦<|im_end|>⟧');
    expect(stdout).toContain('8 of 8 rows used');
  });

  test('warns of prompts that run into their completions', async () => {
    const { code, stdout } = await lorafa(
      ...['preview', 'run.lorafa.json', '--rows', '0'],
      ...['--set', 'data.apply_chat_template=false'],
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^8 rows whose completion runs on from the prompt: .*rows\.jsonl:1, .*neither a space nor a line break stands between/m,
    );
  });

  test('tells what is mixed in, and what of streamed data is shown', async () => {
    const mix = '[{"dataset_name_or_path":"./rows.jsonl[:3]","weight":0.5}]';
    const { code, stdout } = await lorafa(
      ...['preview', 'run.lorafa.json', '--rows', '0'],
      ...['--set', `data.mix=${mix}`, '--set', 'data.streaming=true'],
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/mixed in: .*\[0:3\], 4 rows an epoch/);
    expect(stdout).toContain('3 of 3 rows used');
    expect(stdout).toContain('The data are streamed: these are the first 10,000 rows');
  });

  test('as JSON', async () => {
    const outcome = await lorafa('preview', 'run.lorafa.json', '--json', '--rows', '2');
    const [{ report, examples }] = eventsOf(outcome) as [{ report: object; examples: object[] }];
    expect(report).toMatchObject({ rows: 8, used: 8 });
    expect(examples).toHaveLength(2);
  });
});
