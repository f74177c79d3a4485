import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KnownDevices } from '../../../extension/doctor/known-devices.ts';
import type { ServerLink } from '../../../extension/server-link.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const GIB = 2 ** 30;

/** As `lorafa doctor --json` tells it, of a machine with these devices. */
function report(...devices: readonly object[]) {
  return {
    node: '24.0.0',
    os: 'Linux',
    cpu: { model: 'x', logicalCores: 16, features: null },
    memory: { totalBytes: 64 * GIB, freeBytes: 50 * GIB },
    disk: { folder: '/', freeBytes: GIB },
    onnxruntime: { version: '1', devices, bfloat16: { usable: true } },
  };
}

const GPU = { name: 'NVIDIA GeForce RTX 4090', driver: '580.1' };

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** What a server knows that gives an answer to each look, an error for a text. */
function machine(...answers: readonly (object | string)[]) {
  let asked = 0;
  const runs: { areLive: boolean | Promise<boolean> } = { areLive: false };
  const ask = async (): Promise<unknown> => {
    const answer = answers[asked++];
    if (typeof answer === 'string') throw new Error(answer);
    return answer;
  };
  const known = new KnownDevices({ ask } as unknown as ServerLink, async () => runs.areLive);
  return { known, runs, asked: () => asked };
}

test('a device has its name and its memory, the CPU its cores, and why it cannot be used', async () => {
  const { known } = machine(
    report(
      { device: 'cpu', usable: true },
      {
        device: 'cuda:0',
        usable: true,
        gpu: { ...GPU, memoryBytes: 24 * GIB, freeBytes: 22 * GIB },
      },
      { device: 'cuda:1', usable: true, gpu: { ...GPU, memoryBytes: 24 * GIB, freeBytes: null } },
      { device: 'cuda:2', usable: true, gpu: { ...GPU, memoryBytes: null, freeBytes: null } },
      { device: 'webgpu', usable: false, problem: 'There is none.' },
    ),
  );
  const gpu = GPU.name;
  expect(await known.look()).toEqual([
    { name: 'cpu', facts: ['16 cores', '64.0 GiB, 50.0 GiB free'], problem: null },
    { name: 'cuda:0', facts: [gpu, '24.0 GiB, 22.0 GiB free'], problem: null },
    { name: 'cuda:1', facts: [gpu, '24.0 GiB'], problem: null },
    { name: 'cuda:2', facts: [gpu, 'memory unknown'], problem: null },
    { name: 'webgpu', facts: [], problem: 'There is none.' },
  ]);
});

test('there are none without ONNX Runtime', async () => {
  const { known } = machine({ ...report(), onnxruntime: { problem: 'no library' } });
  expect(await known.look()).toEqual([]);
});

test('the machine is looked at once a minute, by as many as there are', async () => {
  const { known, asked } = machine(report({ device: 'cpu', usable: true }), report());
  const [first, second] = await Promise.all([known.look(), known.lookAside()]);
  expect(second).toBe(first);
  vi.advanceTimersByTime(59_000);
  await known.look();
  expect(asked()).toBe(1);
  vi.advanceTimersByTime(2_000);
  expect(await known.look()).toEqual([]);
  expect(asked()).toBe(2);
});

test('what was set up meanwhile is looked for, and told to those who list devices', async () => {
  const { known, asked } = machine(report(), report({ device: 'cuda:0', usable: true }));
  const forgotten = vi.fn<() => void>();
  known.onDidForget(forgotten);
  await known.look();
  known.forget();
  expect(forgotten).toHaveBeenCalledOnce();
  expect(await known.look()).toEqual([{ name: 'cuda:0', facts: [], problem: null }]);
  expect(asked()).toBe(2);
});

test('a look that failed is no answer for the next one', async () => {
  const { known } = machine('no server', report({ device: 'cpu', usable: true }));
  await expect(known.look()).rejects.toThrow('no server');
  expect(await known.look()).toHaveLength(1);
});

test('while a run goes on, no device is tried for who only shows a form', async () => {
  const { known, runs, asked } = machine(report({ device: 'cpu', usable: true }), report());
  runs.areLive = true;
  expect(await known.lookAside()).toEqual([]);
  expect(asked()).toBe(0);
  const found = await known.look();
  vi.advanceTimersByTime(100_000);
  expect(await known.lookAside()).toEqual(found);
  expect(asked()).toBe(1);
});

test('a form that comes back with its window waits until it is known whether a run goes on', async () => {
  const { known, runs, asked } = machine(report({ device: 'cpu', usable: true }));
  let tell!: (isLive: boolean) => void;
  runs.areLive = new Promise((resolve) => {
    tell = resolve;
  });
  const found = known.lookAside();
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked()).toBe(0);
  tell(false);
  expect(await found).toHaveLength(1);
});

test('who waits for a look while something is set up is told what there is then', async () => {
  const answers: ((answer: object) => void)[] = [];
  const ask = () => new Promise((resolve) => answers.push(resolve));
  const known = new KnownDevices({ ask } as unknown as ServerLink, async () => false);
  const before = known.look();
  known.forget();
  const after = known.look();
  answers[1]!(report({ device: 'cuda:0', usable: true }));
  answers[0]!(report());
  expect(await before).toEqual([{ name: 'cuda:0', facts: [], problem: null }]);
  expect(await before).toBe(await after);
});
