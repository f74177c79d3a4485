import { readdir } from 'node:fs/promises';
import os from 'node:os';
import { expect, test } from 'vitest';
import { measureSpeed } from '../../../engine/train/measure-speed.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

async function leftovers(): Promise<readonly string[]> {
  return (await readdir(os.tmpdir())).filter((name) => name.startsWith('lorafa-measure-'));
}

test('some steps are timed, whatever the run does besides, and nothing is left', async () => {
  const before = await leftovers();
  const tasks = new Set<string>();
  const config = tiny().config({
    data: { eval_split: 2 },
    training: { save_steps: 1, sample_prompts: ['Hi'], eval_steps: 1 },
  });
  const speed = await measureSpeed(config, ({ task }) => tasks.add(task));
  expect(speed.steps).toBeGreaterThan(0);
  expect(speed.tokensPerSecond).toBeGreaterThan(0);
  expect([...tasks]).toContain('timing steps');
  expect(await leftovers()).toEqual(before);
});

test('a run on several machines is not timed, for nobody has started the others', async () => {
  const config = tiny().config({
    training: { gradient_accumulation_steps: 2 },
    engine: { backend: 'accelerate' },
    accelerate: { num_processes: 2, num_machines: 2, main_process_ip: '127.0.0.1' },
  });
  await expect(measureSpeed(config)).rejects.toMatchObject({
    code: 'config.contradiction',
    message: expect.stringContaining('accelerate.num_machines is 2'),
  });
});
