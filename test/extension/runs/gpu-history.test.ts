import { expect, test } from 'vitest';
import { parseGpus } from '../../../engine/runtime/nvidia-smi.ts';
import { GpuHistory, KEPT_READINGS } from '../../../extension/runs/gpu-history.ts';

/** Two GPUs as they are at a load. */
const gpus = (percent: number) =>
  parseGpus(
    [
      `0, NVIDIA A, 580.1, 1024, 512, 512, ${percent}, 63, 312.5`,
      '1, NVIDIA B, 580.1, [N/A], [N/A], [N/A], 3, [N/A], [N/A]',
    ].join('\n'),
  );

test('what each GPU did is kept by time, what it does not tell among it', () => {
  const history = new GpuHistory();
  expect(history.of(0)).toEqual([]);
  history.add(gpus(10), 1000);
  history.add(gpus(20), 1002);
  const rest = { usedBytes: 2 ** 29, memoryBytes: 2 ** 30, temperature: 63, power: 312.5 };
  expect(history.of(0)).toEqual([
    { seconds: 0, utilization: 0.1, ...rest },
    { seconds: 2, utilization: 0.2, ...rest },
  ]);
  const [unknown] = history.of(1);
  expect(unknown).toMatchObject({ usedBytes: null, utilization: 0.03, temperature: null });
  expect(history.of(2)).toEqual([]);
});

test('no more is kept than the latest, and nothing once no run computes on a GPU', () => {
  const history = new GpuHistory();
  for (let i = 0; i < KEPT_READINGS + 2; i++) history.add(gpus(1), 100 + 2 * i);
  expect(history.of(0)).toHaveLength(KEPT_READINGS);
  expect(history.of(0)[0]!.seconds).toBe(4);
  history.add([], 5000);
  expect(history.of(0)).toEqual([]);
  history.add(gpus(1), 6000);
  expect(history.of(0).map(({ seconds }) => seconds)).toEqual([0]);
});

test('a moment at which nobody told is kept as such, of one GPU or of all', () => {
  const history = new GpuHistory();
  history.add(null, 998);
  expect(history.of(0)).toEqual([]);
  history.add(gpus(10), 1000);
  history.add(null, 1002);
  history.add(gpus(30).slice(1), 1004);
  history.add(gpus(40), 1006);
  const loads = (index: number) => history.of(index).map(({ utilization }) => utilization);
  expect(loads(0)).toEqual([0.1, null, null, 0.4]);
  expect(loads(1)).toEqual([0.03, null, 0.03, 0.03]);
  expect(history.of(0).map(({ seconds }) => seconds)).toEqual([0, 2, 4, 6]);
});
