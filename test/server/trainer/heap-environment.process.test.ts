import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import { ComputeProcess } from '../../../server/trainer/compute-process.ts';
import { HEAP_ENVIRONMENT } from '../../../server/trainer/heap-environment.ts';
import { BuiltCli } from '../../support/built-cli.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';

const CONFIG = {
  model: { base_model_name_or_path: 'model' },
  data: { dataset_name_or_path: 'rows.jsonl' },
  training: { output_dir: 'result', max_steps: 1 },
  engine: { device: 'cpu' },
};

afterEach(() => void vi.unstubAllEnvs());

/** What a computing process finds in its environment. */
async function environmentOfCompute(): Promise<Record<string, string>> {
  const script = path.join(await tempFolder(), 'print-environment.mjs');
  await writeFile(script, 'console.log(JSON.stringify(process.env)); process.disconnect();');
  const config = parseConfig(JSON.stringify(CONFIG), 'run.lorafa.json');
  const lines: string[] = [];
  const child = new ComputeProcess(
    script,
    { config },
    {
      onMessage: () => undefined,
      onOutput: (line) => lines.push(line),
    },
  );
  await child.ended;
  return JSON.parse(lines.join(''));
}

test('a process that trains keeps its heap, unless the user says otherwise', async () => {
  expect(await environmentOfCompute()).toMatchObject(HEAP_ENVIRONMENT);
  const [name] = Object.keys(HEAP_ENVIRONMENT) as [string];
  vi.stubEnv(name, '65536');
  expect(await environmentOfCompute()).toMatchObject({ ...HEAP_ENVIRONMENT, [name]: '65536' });
});

describe.runIf(process.platform === 'linux')('the command line', () => {
  let cli: BuiltCli;

  beforeAll(async () => {
    cli = await BuiltCli.build();
    await writeTinyModel(path.join(cli.folder, 'model'));
    await writeFile(path.join(cli.folder, 'rows.jsonl'), '{"question":"1+1?","answer":"2"}\n');
    await writeFile(path.join(cli.folder, 'run.lorafa.json'), JSON.stringify(CONFIG));
  }, 60_000);

  afterAll(() => cli.remove());

  test('trains in the process that was started, with the heap of one that trains', async () => {
    let started: Promise<string> | undefined;
    const { code, stdout } = await cli.run(['train', 'run.lorafa.json', '--json'], {
      env: { MALLOC_ARENA_MAX: '3' },
      onOutput: (_, { pid }) => {
        started ??= readFile(`/proc/${pid}/environ`, 'utf8');
      },
    });
    expect(stdout).toContain('"type":"completed"');
    expect(code).toBe(0);
    const variables = (await started!).split('\0');
    const wanted = { ...HEAP_ENVIRONMENT, MALLOC_ARENA_MAX: '3' };
    expect(variables).toEqual(
      expect.arrayContaining(Object.entries(wanted).map(([name, value]) => `${name}=${value}`)),
    );
  });

  test('keeps standard input for the command', async () => {
    const { code, stdout } = await cli.run(['generate', 'model', '--max-new-tokens', '1'], {
      input: 'once',
    });
    expect(stdout).not.toBe('');
    expect(code).toBe(0);
  });

  test('leaves Python the heap that it had', async () => {
    const python = path.join(cli.folder, 'python');
    await writeFile(python, '#!/bin/sh\nenv > environment\nexit 1\n');
    await chmod(python, 0o755);
    const sets = [
      'engine.backend=accelerate',
      `accelerate.python=${python}`,
      'training.output_dir=other',
    ];
    await cli.run(['train', 'run.lorafa.json', ...sets.flatMap((each) => ['--set', each])], {
      env: { MALLOC_ARENA_MAX: '3' },
    });
    const lines = (await readFile(path.join(cli.folder, 'environment'), 'utf8')).split('\n');
    const heap = lines.filter((line) => /^(MALLOC_|GLIBC_|LORAFA_HEAP)/.test(line));
    expect(heap).toEqual(['MALLOC_ARENA_MAX=3']);
  });
});
