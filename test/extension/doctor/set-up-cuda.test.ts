import { beforeEach, expect, test, vi } from 'vitest';
import { CudaSetup } from '../../../extension/doctor/set-up-cuda.ts';
import type { ServerLink } from '../../../extension/server-link.ts';
import type { ShownCudaPlan } from '../../../server/cli/cuda-report.ts';
import { cudaProgress, planCuda, setUpCuda } from '../../../server/protocol/machine.ts';
import { shown, user } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

beforeEach(() => {
  shown.length = 0;
  user.answer = undefined;
});

const PLAN: ShownCudaPlan = {
  folder: '/cache/cuda/1.2.3',
  isReady: false,
  found: [{ library: 'libcurand.so.10', file: '/usr/lib/libcurand.so.10' }],
  wheels: [
    { name: 'onnxruntime-gpu', version: '1.2.3', bytes: 2 ** 28, isHere: true },
    { name: 'nvidia-cublas', version: '13.4', bytes: 2 ** 29, isHere: false },
  ],
  downloadBytes: 2 ** 29,
  diskBytes: 2 ** 30,
  notes: ['/venv/onnxruntime is left out.'],
  driverProblem: null,
};

/** A server that has a plan, and what happened. */
function machine(plan: ShownCudaPlan) {
  const asked: string[] = [];
  let report: (news: { readonly text: string }) => void = () => undefined;
  const server = {
    listen: ({ method }: { readonly method: string }, handler: typeof report) => {
      if (method === cudaProgress.method) report = handler;
    },
    ask: ({ method }: { readonly method: string }) => {
      asked.push(method);
      if (method === planCuda.method) return Promise.resolve(plan);
      report({ text: 'fetching: 50 %' });
      return Promise.resolve({ folder: plan.folder });
    },
  };
  const onDone = vi.fn<() => void>();
  return { setup: new CudaSetup(server as unknown as ServerLink, onDone), asked, onDone };
}

test('sizes are shown before anything is fetched, and nothing is without a yes', async () => {
  const { setup, asked, onDone } = machine(PLAN);
  await setup.run();
  const question = shown.find(({ to }) => to === 'warning')!;
  const [, options, action] = question.args as [string, { detail: string }, string];
  expect(action).toBe('Fetch 512 MiB');
  expect(options.detail.split('\n')).toEqual([
    'Found: libcurand.so.10.',
    "Python's pip fetches nvidia-cublas 13.4 (512 MiB), from where it is configured to fetch. Nothing is installed; on disk it takes 1.0 GiB in /cache/cuda/1.2.3.",
    '/venv/onnxruntime is left out.',
  ]);
  expect(asked).toEqual([planCuda.method]);
  expect(onDone).not.toHaveBeenCalled();

  user.answer = action;
  await setup.run();
  expect(asked.at(-1)).toBe(setUpCuda.method);
  expect(shown).toContainEqual({ to: 'report', args: [{ message: 'fetching: 50 %' }] });
  expect(onDone).toHaveBeenCalledTimes(1);
  expect(shown.at(-1)!.args[0]).toContain('cuda:0 computes what it should');
});

test('what was set up before is only tried', async () => {
  const { setup, asked } = machine({ ...PLAN, isReady: true, found: [], wheels: [] });
  await setup.run();
  expect(shown.map(({ to }) => to)).not.toContain('warning');
  expect(asked).toEqual([planCuda.method, setUpCuda.method]);
});

test('without a driver nothing is asked or fetched', async () => {
  const { setup, asked } = machine({ ...PLAN, driverProblem: 'No driver is here.' });
  await expect(setup.run()).rejects.toThrow('No driver is here.');
  expect(asked).toEqual([planCuda.method]);
});
