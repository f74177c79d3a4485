import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { exportProgram } from '../../../engine/train/export-program.ts';
import { LAUNCH_TEXTS, type Launch } from '../../../server/cli/launch-texts.ts';
import { lacks, REFERENCE_PYTHON } from '../../support/reference-python.ts';
import { expectAdapter, savedAdapter } from './saved-adapter.ts';
import { type ConfigChanges, ofType, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

/** Loading PyTorch, transformers and PEFT takes seconds, and more on a busy machine. */
const PATIENCE = { timeout: 900_000 };

const CHANGES: ConfigChanges = {
  data: { eval_split: 2 },
  training: {
    max_steps: 8,
    gradient_accumulation_steps: 2,
    weight_decay: 0.1,
    warmup_steps: 2,
    lr_scheduler_type: 'cosine',
    eval_steps: 4,
    eval_on_start: true,
    save_steps: 3,
    save_total_limit: 5,
  },
};

const ON_ACCELERATE: ConfigChanges = { ...CHANGES, engine: { backend: 'accelerate' } };

/** A line of `metrics.jsonl`. */
interface Row {
  readonly step: number;
  readonly loss?: number;
  readonly eval_loss?: number;
}

async function metricsOf(output: string): Promise<readonly Row[]> {
  const text = await readFile(path.join(output, 'metrics.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Runs a text of a shell where no network is asked. */
async function shell(text: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', text], {
    env: {
      ...process.env,
      GLOO_SOCKET_IFNAME: 'lo',
      HF_HUB_OFFLINE: '1',
      OMP_NUM_THREADS: '1',
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  return stdout;
}

function expectClose(actual: readonly Row[], expected: readonly Row[], tolerance: number): void {
  expect(actual.map(({ step }) => step)).toEqual(expected.map(({ step }) => step));
  for (const [i, row] of actual.entries()) {
    for (const key of ['loss', 'eval_loss'] as const) {
      const [one, other] = [row[key], expected[i]![key]];
      expect(typeof one).toBe(typeof other);
      if (one === undefined) continue;
      expect(Math.abs(one - other!), `${key} of step ${row.step}`).toBeLessThan(tolerance);
    }
  }
}

describe.skipIf(lacks('peft') || process.platform !== 'linux')('an exported run', () => {
  let program: string;
  let alone: string;

  beforeAll(async () => {
    program = tiny().fresh('program');
    await exportProgram(tiny().config(ON_ACCELERATE), program, () => undefined);
    alone = path.join(program, 'alone');
    await shell(`cd '${program}' && '${REFERENCE_PYTHON}' run.py --output '${alone}'`);
  }, PATIENCE.timeout);

  test(
    'learns what it learns here, with the same evaluations and checkpoints',
    PATIENCE,
    async () => {
      const config = tiny().config(CHANGES);
      const finished = await run(config);
      const rows = finished.events.flatMap((event): Row[] =>
        event.type === 'step' || event.type === 'eval' ? [event] : [],
      );
      const metrics = await metricsOf(alone);
      expect(metrics).toHaveLength(8 + 3);
      expectClose(metrics, rows, 1e-4);
      await expectAdapter(alone, await savedAdapter(config.training.output_dir), 1e-3);
      const saved = (await readdir(alone)).filter((name) => name.startsWith('checkpoint-'));
      const steps = ofType(finished, 'checkpoint').map(({ step }) => `checkpoint-${step}`);
      expect(saved.sort()).toEqual(steps.sort());
    },
  );

  test.each(['ddp', 'fsdp'])('is the same on two machines (%s)', PATIENCE, async (type) => {
    const file = path.join(program, 'settings.json');
    const settings = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ ...settings, distributed_type: type }));
    const launch: Launch = {
      name: 'test',
      folder: program,
      python: REFERENCE_PYTHON,
      processes: 1,
      usesGpus: false,
      mixedPrecision: 'no',
      machines: 2,
      hosts: ['127.0.0.1', '127.0.0.1'],
      firstHost: '127.0.0.1',
      port: 29_500 + (process.pid % 10_000),
    };
    const commands = LAUNCH_TEXTS.torchrun(launch)
      .split('\n')
      .filter((line) => !line.startsWith('#'));
    expect(commands).toHaveLength(2);
    await Promise.all(commands.map(shell));
    const together = path.join(program, 'output');
    expectClose(await metricsOf(together), await metricsOf(alone), 1e-5);
    await expectAdapter(together, await savedAdapter(alone), 1e-5);
    await rm(together, { recursive: true });
  });

  test('goes on from its newest checkpoint, and writes over nothing', PATIENCE, async () => {
    await rm(path.join(alone, 'checkpoint-8'), { recursive: true });
    const before = await metricsOf(alone);
    const adapter = await savedAdapter(alone);
    const start = `cd '${program}' && '${REFERENCE_PYTHON}' run.py --output '${alone}'`;
    await expect(shell(start)).rejects.toThrow('go on with it by --resume');
    const printed = await shell(`${start} --resume`);
    expect(
      printed
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).step),
    ).toEqual([7, 8, 8]);
    expectClose(await metricsOf(alone), before, 1e-6);
    await expectAdapter(alone, adapter, 1e-6);
  });
});

describe('what no exported run can do', () => {
  test.each([
    [{ load_best_model_at_end: true, eval_steps: 1 }, 'load_best_model_at_end'],
    [{ resume_from_checkpoint: 'latest' }, 'resume_from_checkpoint'],
  ])('is refused by name: %j', async (training, key) => {
    const config = tiny().config({
      data: { eval_split: 2 },
      engine: { backend: 'accelerate' },
      training,
    });
    await expect(exportProgram(config, tiny().fresh(), () => undefined)).rejects.toMatchObject({
      code: 'usage.invalid',
      message: expect.stringContaining(key),
    });
  });

  test('a folder that is there is not written over', async () => {
    const config = tiny().config({ engine: { backend: 'accelerate' } });
    await expect(exportProgram(config, tiny().folder, () => undefined)).rejects.toMatchObject({
      code: 'output.not_writable',
    });
  });
});
