import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { physicalCores } from '../../../engine/runtime/physical-cores.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test('hyper-threads count once', async () => {
  const folder = await tempFolder();
  // Two hyper-threads of one core, beside what are no processors.
  for (const cpu of ['cpu0', 'cpu1']) {
    await mkdir(path.join(folder, cpu, 'topology'), { recursive: true });
    await writeFile(path.join(folder, cpu, 'topology', 'thread_siblings_list'), '0-1\n');
  }
  await mkdir(path.join(folder, 'cpufreq'));
  expect(physicalCores(folder)).toBe(1);
});

test('where the system does not tell, all processors count', async () => {
  const all = os.availableParallelism();
  expect(physicalCores(path.join(await tempFolder(), 'missing'))).toBe(all);
  expect(physicalCores(await tempFolder())).toBe(all);
  expect(physicalCores()).toBeGreaterThan(0);
  expect(physicalCores()).toBeLessThanOrEqual(all);
});
