import { describe, expect, test, vi } from 'vitest';
import { nvidiaGpus } from '../../../engine/runtime/nvidia-smi.ts';
import type { RunSummary } from '../../../server/protocol/runs.ts';
import { GpuWatch } from '../../../server/runs/gpu-watch.ts';
import { NvidiaSmi } from '../../support/nvidia-smi.ts';

const LINE = '0, NVIDIA T4, 580.65.06, 15360, 512, 14848, 50, 41, 60';

/** As much of a run as is looked at. */
function run(folder: string, device: string | null, isLive = true): RunSummary {
  return { folder, isLive, status: { device } } as RunSummary;
}

describe.skipIf(process.platform === 'win32')('GPUs are looked at', () => {
  test('while runs compute on them, and at no other time', async () => {
    const driver = await NvidiaSmi.install(LINE);
    const told: (readonly string[])[] = [];
    const watch = new GpuWatch((gpus) => told.push(gpus?.map(({ name }) => name) ?? []));
    watch.heed(run('/a', 'cpu'));
    watch.heed(run('/b', null));
    watch.heed(run('/c', 'cuda:0', false));
    await new Promise((resolve) => setTimeout(resolve, 100));
    // Whoever asked before this has been answered.
    await nvidiaGpus();
    expect(await driver.asked()).toBe(1);
    expect(told).toEqual([]);
    watch.heed(run('/a', 'cuda:0'));
    watch.heed(run('/b', 'cuda:0'));
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(1), { timeout: 10_000 });
    expect(new Set(told.flat())).toEqual(new Set(['NVIDIA T4']));
    watch.heed(run('/a', 'cuda:0', false));
    expect(told.at(-1)).toEqual(['NVIDIA T4']);
    watch.forget('/b');
    expect(told.at(-1)).toEqual([]);
    const before = await driver.asked();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    // One may have been asked just then.
    expect(await driver.asked()).toBeLessThanOrEqual(before + 1);
    expect(told.at(-1)).toEqual([]);
  });

  test('and not for a run that does not tell which of them it has, since nobody is shown what they do', async () => {
    const driver = await NvidiaSmi.install(LINE);
    const told: unknown[] = [];
    const watch = new GpuWatch((gpus) => told.push(gpus));
    watch.heed(run('/a', 'cuda (Accelerate)'));
    watch.heed(run('/b', '2 × cuda (Accelerate)'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    // Whoever asked before this has been answered.
    await nvidiaGpus();
    expect(await driver.asked()).toBe(1);
    expect(told).toEqual([]);
  });

  test('and those of which nobody tells are not passed over in silence', async () => {
    const driver = await NvidiaSmi.install();
    await driver.fail();
    const told: unknown[] = [];
    const watch = new GpuWatch((gpus) => told.push(gpus));
    watch.heed(run('/a', 'cuda:0'));
    await vi.waitFor(() => expect(told).toEqual([null]), { timeout: 10_000 });
    watch.forget('/a');
    expect(told).toEqual([null, []]);
  });
});
