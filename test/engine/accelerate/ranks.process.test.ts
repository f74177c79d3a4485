import { chmod, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Ranks } from '../../../engine/accelerate/ranks.ts';
import { parseConfig } from '../../../engine/config/parse.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { processesOf } from '../../support/processes-of.ts';
import { lacks, REFERENCE_PYTHON } from '../../support/reference-python.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let folder: string;

/** Loading PyTorch takes seconds, and more on a busy machine. */
const PATIENCE = { timeout: 300_000 };

/** A folder of this test's own for what is temporary. */
const temporary = (): string => path.join(folder, 'temporary');

/** What is left there of ours: PyTorch has a cache of its own. */
const leftovers = async (): Promise<string[]> =>
  (await readdir(temporary())).filter((name) => name.includes('lorafa'));

beforeEach(async () => {
  folder = await tempFolder();
  await mkdir(temporary(), { recursive: true });
  vi.stubEnv('TMPDIR', temporary());
});

afterEach(() => {
  vi.unstubAllEnvs();
});

function configOf(numProcesses: number): ResolvedConfig {
  return parseConfig(
    JSON.stringify({
      model: { base_model_name_or_path: 'model' },
      data: { dataset_name_or_path: 'rows.jsonl' },
      training: { output_dir: 'out', gradient_accumulation_steps: numProcesses },
      engine: { backend: 'accelerate', device: 'cpu' },
      accelerate: { num_processes: numProcesses },
    }),
    path.join(folder, 'run.lorafa.json'),
  );
}

function start(python: string, numProcesses = 1, onOutput?: (line: string) => void) {
  const config = configOf(numProcesses);
  return Ranks.start({ ...config, accelerate: { ...config.accelerate, python } }, onOutput);
}

async function script(name: string, text: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, 0o755);
  return file;
}

describe('a program that cannot be started', () => {
  test.each([
    ['is not there', '/nowhere/python'],
    ['has a name that no program has', 'py\0thon'],
  ])('since it %s leaves no file', async (_, python) => {
    await expect(start(python, 2)).rejects.toMatchObject({ code: 'python.not_found' });
    expect(await leftovers()).toEqual([]);
  });
});

test('commands that cannot be made leave no file', async () => {
  const config = configOf(1);
  Object.defineProperty(config.accelerate, 'python', {
    get: () => {
      throw new Error('It has no name.');
    },
  });
  await expect(Ranks.start(config)).rejects.toThrow('It has no name.');
  expect(await leftovers()).toEqual([]);
});

describe.skipIf(process.platform === 'win32')('a program that is no Python', () => {
  test('is told by its last words, and by what tells more', async () => {
    const bad = await script('bad', 'echo "no such option" >&2; exit 3');
    await expect(start(bad)).rejects.toMatchObject({
      code: 'training.rank_died',
      message: expect.stringMatching(
        /exit code 3, its last words: no such option; lorafa accelerate check /,
      ),
    });
  });

  test.skipIf(process.platform !== 'linux')('goes with all that it has started', async () => {
    const seconds = `86400.${process.pid}`;
    const bad = await script('bad', `sleep ${seconds} &\nexit 3`);
    await expect(start(bad)).rejects.toMatchObject({ code: 'training.rank_died' });
    expect(await processesOf(`sleep\0${seconds}`)).toEqual([]);
  });
});

describe('a folder for files', () => {
  test('that a killed process left goes, others stay', async () => {
    const [left, young] = [
      '.lorafa-accelerate.999999999-0123abcd.tmp',
      '.x.999999999-0123abcd.tmp',
    ];
    for (const name of [left, young, 'else']) await mkdir(path.join(temporary(), name));
    const past = new Date(Date.now() - 48 * 60 * 60 * 1000);
    await utimes(path.join(temporary(), left), past, past);
    await utimes(path.join(temporary(), 'else'), past, past);
    await expect(start('/nowhere/python')).rejects.toMatchObject({ code: 'python.not_found' });
    expect((await readdir(temporary())).sort()).toEqual([young, 'else']);
  });
});

describe.skipIf(lacks('peft') || process.platform === 'win32')('a Python', () => {
  test('whose libraries print is understood, and what they print is told', PATIENCE, async () => {
    await writeFile(
      path.join(folder, 'sitecustomize.py'),
      `import os\nos.write(1, b'{"packages": {}, "device": "tpu"}\\n{"cut')\n`,
    );
    vi.stubEnv('PYTHONPATH', folder);
    const lines: string[] = [];
    const ranks = await start(REFERENCE_PYTHON, 1, (line) => lines.push(line));
    expect(ranks.hello.device).toBe('cpu');
    await ranks.release();
    expect(lines).toContain('rank 0: {"packages": {}, "device": "tpu"}');
    expect(await leftovers()).toEqual([]);
  });

  test.skipIf(process.platform !== 'linux')(
    'in a program of another kind ends with it',
    PATIENCE,
    async () => {
      const wrapper = await script('wrapper', `"${REFERENCE_PYTHON}" "$@"\nexit $?`);
      const ranks = await start(wrapper, 2);
      expect((await processesOf(temporary())).length).toBeGreaterThanOrEqual(4);
      await ranks.release();
      await expect.poll(() => processesOf(temporary()), { timeout: 10_000 }).toEqual([]);
      expect(await leftovers()).toEqual([]);
    },
  );

  test('whose PyTorch has nothing by which processes talk is told', PATIENCE, async () => {
    await writeFile(
      path.join(folder, 'sitecustomize.py'),
      'import torch.distributed\ntorch.distributed.is_gloo_available = lambda: False\n',
    );
    vi.stubEnv('PYTHONPATH', folder);
    await expect(start(REFERENCE_PYTHON, 2)).rejects.toMatchObject({
      code: 'device.unavailable',
      message: expect.stringMatching(/^PyTorch \S+ was built without gloo, by which .*\.$/),
    });
    const alone = await start(REFERENCE_PYTHON);
    expect(alone.hello.backends).toMatchObject({ gloo: false });
    await alone.release();
  });

  test('that gets no descriptors is told', PATIENCE, async () => {
    const closing = await script('closing', `exec "${REFERENCE_PYTHON}" "$@" 3>&-`);
    await expect(start(closing)).rejects.toMatchObject({
      code: 'training.rank_died',
      message: expect.stringContaining('name the interpreter itself'),
    });
  });
});
