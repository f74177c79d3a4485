import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { FakeCuda } from '../fake-cuda/fake-cuda.ts';
import { lacks, REFERENCE_PYTHON } from '../support/reference-python.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { STEP_CASES } from './cases.ts';
import { peftCases } from './peft.ts';
import {
  type CheckResult,
  hasFailed,
  type PeftResult,
  resultTable,
  type StepResult,
} from './results.ts';

const missing = await FakeCuda.open().then((fake) => (typeof fake === 'string' ? fake : undefined));
if (missing !== undefined) console.warn(`The check of GPUs is not tried: ${missing}.`);

/** Runs the check as `npm run gpu-check -- …` does. */
async function check(...args: readonly string[]) {
  return promisify(execFile)(process.execPath, ['test/gpu-check/gpu-check.mjs', ...args]);
}

test.skipIf(missing !== undefined)(
  '--no-values --json runs on the stand-in, a line for each measured step',
  async () => {
    const only = [
      'parity-captured',
      'tiny-1x256-lorafa',
      'tiny-1x256-lorafa-uncaptured',
      'tiny-1x256-lorafa-bfloat16',
      'tiny-1x256-lorafa-tf32',
    ];
    const { stdout } = await check(
      ...['--no-values', '--json'],
      ...only.flatMap((name) => ['--only', name]),
    );
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as CheckResult);
    expect(lines.map(({ name }) => name)).toEqual(only);
    const [parity, captured, uncaptured, bfloat16, tf32] = lines as [
      CheckResult,
      StepResult,
      StepResult,
      StepResult,
      StepResult,
    ];
    // What computes nothing is not compared.
    expect(parity).toEqual({ name: 'parity-captured', steps: 20 });
    for (const step of [captured, uncaptured, bfloat16, tf32]) {
      expect(step.nodes_total).toBeGreaterThan(100);
      expect(step.nodes_on_device).toBe(step.nodes_total);
      expect(step.bytes_down_per_step).toBe(8);
      expect(step.peak_bytes).toBeGreaterThan(step.bytes_up_per_step!);
    }
    for (const step of [captured, bfloat16, tf32]) {
      expect(step).toMatchObject({ launches_per_step: 0, graph_launches_per_step: 3 });
    }
    // In bfloat16 the products with weights; attention and adapters stay in float32. The optimizer's know no TF32.
    expect(captured.share_on_tensor_cores).toBe(0);
    expect(bfloat16.share_on_tensor_cores).toBeGreaterThan(0.4);
    expect(bfloat16.share_on_tensor_cores).toBeLessThan(0.9);
    expect(tf32.share_on_tensor_cores).toBeGreaterThan(0.99);
    expect(tf32.share_on_tensor_cores).toBeLessThan(1);
    expect(uncaptured.launches_per_step).toBeGreaterThan(100);
    expect(uncaptured.graph_launches_per_step).toBe(0);
    expect(captured.bytes_up_per_step).toBe(uncaptured.bytes_up_per_step);
  },
  // Five processes, one after the other.
  200_000,
);

test.skipIf(missing !== undefined)(
  'memory is planned within a tenth of the peak, whatever is kept and in whatever it is multiplied',
  async () => {
    const variants = [
      '',
      '-layer',
      '-packed',
      '-bfloat16',
      '-bfloat16-layer',
      '-nf4',
      '-nf4-layer',
    ];
    const only = [...variants, '-nf4-bfloat16', '-nf4-bfloat16-layer'].map(
      (variant) => `tiny-1x256-lorafa${variant}`,
    );
    const { stdout } = await check(
      ...['--no-values', '--json'],
      ...only.flatMap((name) => ['--only', name]),
    );
    const steps = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as StepResult);
    expect(steps.map(({ name }) => name).toSorted()).toEqual(only.toSorted());
    for (const { name, nodes_on_device, nodes_total, planned_bytes, peak_bytes } of steps) {
      expect(nodes_on_device, name).toBe(nodes_total);
      expect(Math.abs(planned_bytes / peak_bytes - 1), name).toBeLessThan(0.1);
    }
  },
  // Nine processes, one after the other.
  240_000,
);

test.skipIf(missing !== undefined || lacks('peft'))(
  '--peft measures the same step in PEFT beside it',
  async () => {
    const { stdout } = await check(
      ...['--no-values', '--json', '--peft', '--python', REFERENCE_PYTHON],
      ...['--only', 'tiny-1x256-lorafa-nf4-peft-float32'],
    );
    const { name, step_ms, tokens_per_second } = JSON.parse(stdout) as PeftResult;
    expect(name).toBe('tiny-1x256-lorafa-nf4-peft-float32');
    expect(tokens_per_second).toBeCloseTo(256_000 / step_ms, 6);
  },
  240_000,
);

test.skipIf(missing !== undefined)(
  'what fails is one result of many',
  async () => {
    const told = check(
      ...['--no-values', '--json', '--peft', '--python', '/nowhere/python'],
      ...['--only', 'tiny-1x256-lorafa-nf4', '--only', 'tiny-1x256-lorafa-nf4-peft-float32'],
    );
    const { stdout } = await told.then(
      () => expect.unreachable('A failed check fails the whole.'),
      (error: { readonly stdout: string }) => error,
    );
    const results = stdout.trim().split('\n');
    expect(results.map((line) => JSON.parse(line) as { name: string })).toMatchObject([
      { name: 'tiny-1x256-lorafa-nf4' },
      {
        name: 'tiny-1x256-lorafa-nf4-peft-float32',
        failure: expect.stringContaining('/nowhere/python'),
      },
    ]);
  },
  240_000,
);

test.skipIf(missing !== undefined)(
  'a check that was ended goes on where it ended, with what did not fail',
  async () => {
    const out = path.join(await tempFolder(), 'check.json');
    const demo = { name: 'demo', seconds: 9 };
    const results = [demo, { name: 'tiny-1x256-lorafa', failure: 'Out of memory.' }];
    await writeFile(out, JSON.stringify({ values: false, results }));
    const flags = ['--resume', '--out', out, '--only', 'demo', '--only', 'tiny-1x256-lorafa'];
    const { stderr } = await check('--no-values', ...flags);
    expect(stderr).toBe('tiny-1x256-lorafa\n');
    const written = JSON.parse(await readFile(out, 'utf8')) as { readonly results: unknown[] };
    expect(written.results).toMatchObject([
      demo,
      { name: 'tiny-1x256-lorafa', bytes_down_per_step: 8 },
    ]);
  },
  240_000,
);

test('what PEFT is asked for beside a step', () => {
  const of = (variant: string) =>
    peftCases(STEP_CASES.find(({ name }) => name === `8b-1x512-${variant}`)!);
  expect(of('lorafa-nf4-layer')).toEqual(
    ['float32', 'bfloat16'].map((precision) => ({
      name: `8b-1x512-lorafa-nf4-layer-peft-${precision}`,
      ...{ shape: '8b', rows: 1, length: 512, isNf4: true, precision },
      ...{ method: 'lorafa', gradientCheckpointing: true },
    })),
  );
  expect(of('lora').map(({ method }) => method)).toEqual(['lora', 'lora']);
  // It has none of these, or the same as without.
  expect(of('lorafa-uncaptured')).toEqual([]);
  expect(of('lorafa-packed')).toEqual([]);
  expect(of('lorafa-bfloat16')).toEqual([]);
  expect(of('lorafa-tf32')).toEqual([]);
});

test('a result that no GPU may have fails the check', () => {
  const parity = { name: 'p', steps: 20, loss_error: 0, gradient_error: 0 };
  const demo = { name: 'demo', seconds: 9, before_accuracy: 0, after_accuracy: 0.2 };
  expect(hasFailed({ ...parity, is_equal: true })).toBe(false);
  expect(hasFailed({ ...parity, is_equal: false })).toBe(true);
  expect(hasFailed({ ...demo, is_learned: false })).toBe(true);
  expect(hasFailed({ name: 'demo', seconds: 9 })).toBe(false);
  const peft = { name: 'x-peft-float32', step_ms: 2, tokens_per_second: 128_000 };
  const failure = { name: 'y', failure: 'Out of memory.' };
  expect(hasFailed(failure)).toBe(true);
  const given = [{ ...parity, is_equal: true }, { ...demo, is_learned: false }, peft, failure];
  const table = resultTable(given);
  expect(table).toMatch(/^\| y +\| Out of memory\. \|$/m);
  expect(table).toMatch(/^\| x-peft-float32 .* 2\.00 \| +128000 \|/m);
  expect(table).toMatch(/^\| demo .* 9\.0 .* 20\.0 \| +NO \|$/m);
});

test('a name that nothing has is refused', async () => {
  await expect(check('--only', 'nonsense')).rejects.toMatchObject({
    code: 2,
    stderr: 'Nothing is called nonsense; see --list.\n',
  });
});
