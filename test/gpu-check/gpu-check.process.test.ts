import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { FakeCuda } from '../fake-cuda/fake-cuda.ts';
import type { CheckResult, StepResult } from './results.ts';

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

test('a name that nothing has is refused', async () => {
  await expect(check('--only', 'nonsense')).rejects.toMatchObject({
    code: 2,
    stderr: 'Nothing is called nonsense; see --list.\n',
  });
});
