import { access, chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { FACTS_OF_DRIVER } from '../../../engine/runtime/device-facts.ts';
import { nvidiaGpus, parseGpus, visibleGpus } from '../../../engine/runtime/nvidia-smi.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const LINES = [
  '0, NVIDIA GeForce RTX 4090, 580.65.06, 24564, 12282, 11700, 97, 63, 312.45',
  '1, NVIDIA T4, 580.65.06, [N/A], [N/A], [N/A], [N/A], 41, [Not Supported]',
];

test('what the driver does not tell is unknown', () => {
  expect(parseGpus(`${LINES.join('\n')}\n`)).toEqual([
    {
      index: 0,
      name: 'NVIDIA GeForce RTX 4090',
      driver: '580.65.06',
      memoryBytes: 24564 * 2 ** 20,
      usedBytes: 12282 * 2 ** 20,
      freeBytes: 11700 * 2 ** 20,
      utilization: 0.97,
      temperature: 63,
      power: 312.45,
    },
    {
      index: 1,
      name: 'NVIDIA T4',
      driver: '580.65.06',
      memoryBytes: null,
      usedBytes: null,
      freeBytes: null,
      utilization: null,
      temperature: 41,
      power: null,
    },
  ]);
});

test('what CUDA does not see is not there, and the rest has its numbers', () => {
  const gpus = parseGpus(LINES.join('\n'));
  const numbered = (variable?: string): unknown =>
    visibleGpus(gpus, variable).map(({ index, name }) => [index, name]);
  expect(visibleGpus(gpus, undefined)).toEqual(gpus);
  expect(numbered('1, 0')).toEqual([
    [0, 'NVIDIA T4'],
    [1, 'NVIDIA GeForce RTX 4090'],
  ]);
  expect(numbered('1,-1,0')).toEqual([[0, 'NVIDIA T4']]);
  expect(numbered('')).toEqual([]);
  expect(numbered('GPU-8d4e')).toEqual([]);
});

test.each(['', 'No devices were found', 'a, b, c', ',,,,,,,,'])('%j names no GPU', (text) => {
  expect(parseGpus(text)).toEqual([]);
});

describe.skipIf(process.platform === 'win32')('the program', () => {
  /** Puts a program of this name before all others. */
  async function standIn(script: string): Promise<void> {
    const folder = await tempFolder();
    const file = path.join(folder, 'nvidia-smi');
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
  }

  test('is asked for what is read', async () => {
    // Answers only to the question that names the columns in this order.
    await standIn(`case "$1" in
      --query-gpu=index,name,driver_version,memory.total,memory.used,memory.free,utilization.gpu,temperature.gpu,power.draw)
        echo '${LINES[0]}' ;;
      *) exit 1 ;;
    esac`);
    expect((await nvidiaGpus())?.map(({ name }) => name)).toEqual(['NVIDIA GeForce RTX 4090']);
    vi.unstubAllEnvs();
  });

  test('tells of memory in one place, as CUDA numbers GPUs', async () => {
    await standIn(`printf '${LINES.join('\\n')}\\n'`);
    const available = (index: number) => FACTS_OF_DRIVER.availableMemory({ kind: 'cuda', index });
    expect(await available(0)).toBe(11700 * 2 ** 20);
    // What a GPU does not tell is not the memory of the host.
    expect(await available(1)).toBeUndefined();
    expect(await available(2)).toBeUndefined();
    expect(await FACTS_OF_DRIVER.availableMemory({ kind: 'webgpu', index: 0 })).toBeUndefined();
    expect(await FACTS_OF_DRIVER.availableMemory({ kind: 'cpu', index: 0 })).toBeGreaterThan(0);
    vi.stubEnv('CUDA_VISIBLE_DEVICES', '1,0');
    expect(await available(0)).toBeUndefined();
    expect(await available(1)).toBe(11700 * 2 ** 20);
    vi.unstubAllEnvs();
  });

  test('may fail, or not be there', async () => {
    await standIn('echo "Driver/library version mismatch"; exit 18');
    expect(await nvidiaGpus()).toBeUndefined();
    vi.stubEnv('PATH', await tempFolder());
    expect(await nvidiaGpus()).toBeUndefined();
    vi.unstubAllEnvs();
  });

  test('is not waited for where its driver hangs, though it cannot be ended', async () => {
    // What it started has its output still, as if the program went on.
    const ended = path.join(await tempFolder(), 'ended');
    await standIn(`sleep 5; touch '${ended}'`);
    expect(await nvidiaGpus(50)).toBeUndefined();
    await expect(access(ended)).rejects.toThrow('ENOENT');
    vi.unstubAllEnvs();
  });
});
