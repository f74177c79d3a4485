import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** The command line as users run it: bundled, in a process of its own. */

const repository = path.resolve(import.meta.dirname, '../../..');
let folder: string;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function lorafa(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const script = path.join(folder, 'out/cli.js');
    execFile(process.execPath, [script, ...args], { cwd: folder }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lorafa-cli-'));
  await promisify(execFile)(
    process.execPath,
    [path.join(repository, 'esbuild.mjs'), path.join(folder, 'out')],
    { cwd: repository },
  );
  await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
  // The bundle finds onnxruntime-node as it would in an installed package.
  await symlink(
    path.join(repository, 'node_modules'),
    path.join(folder, 'node_modules'),
    'junction',
  );
  await writeFile(path.join(folder, 'rows.jsonl'), '{"text":"a"}\n');
});

afterAll(() => rm(folder, { recursive: true }));

describe('help', () => {
  test('lists commands and exit codes', async () => {
    const { code, stdout } = await lorafa('--help');
    expect(code).toBe(0);
    for (const command of ['train', 'preview', 'doctor']) expect(stdout).toContain(command);
    expect(stdout).toContain('130  interrupted');
  });

  test('the version is that of the package', async () => {
    const { code, stdout } = await lorafa('--version');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('wrong command lines end with 2', () => {
  test.each([
    [['trian'], "unknown command 'trian'"],
    [['train', '--rank', '3'], "unknown option '--rank'"],
    [['preview'], "missing required argument 'config'"],
    [['preview', 'x', '--rows', 'many'], 'It must be a whole number'],
    [['train'], 'lorafa train needs a configuration file'],
    [['train', 'a.lorafa.json', '--lr', '1'], '--lr cannot be used together with'],
    [['train', 'a.lorafa.json', '--lorafa'], '--lorafa cannot be used together with'],
    [['train', 'a.lorafa.json', '--set', 'x'], '--set x: write it as section.key=value'],
    [['train', 'missing.lorafa.json'], 'missing.lorafa.json: the run configuration cannot be read'],
    [['train', '--lorafa'], '--base_model_name_or_path: "meta-llama/'],
    [['train', '--quantize'], '--quantize: 4-bit'],
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
    await writeFile(path.join(folder, 'wrong.lorafa.json'), text);
    const { code, stderr } = await lorafa('train', 'wrong.lorafa.json');
    expect(code).toBe(2);
    expect(stderr.trimEnd().split('\n')).toEqual([
      'wrong.lorafa.json:1:1: the section `training` is missing; it must at least hold `output_dir`',
      'wrong.lorafa.json:2:3: `model.base_model_name_or_path` is missing; it must be a string that is not empty',
      expect.stringContaining('wrong.lorafa.json:3:3: `data.dataset_name_or_path` is missing'),
      'wrong.lorafa.json:3:13: `data.dataset` is not a key; the keys here are ' +
        'dataset_name_or_path, eval_dataset_name_or_path, eval_split, format, text_column, ' +
        'prompt_column, completion_column, messages_column, prompt_template, ' +
        'completion_template, apply_chat_template, completion_only_loss, max_length, ' +
        'max_bad_rows, group_by_length, pad_to_multiple_of',
    ]);
  });

  test('is one failed event with --json', async () => {
    await writeFile(path.join(folder, 'wrong.lorafa.json'), text);
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
  const before = await readdir(folder);
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
  expect(await readdir(folder)).toEqual(before);
});

test('the doctor finds the CPU', async () => {
  const { code, stdout } = await lorafa('doctor', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    node: process.versions.node,
    onnxruntime: { devices: expect.arrayContaining([{ device: 'cpu', usable: true }]) as unknown },
  });
});
