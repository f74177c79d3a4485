import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOCK_FILE, RunLock, readLock } from '../../../engine/train/run-lock.ts';

/** Locks of processes that are out of sight: on another computer, or in a container. */

let parent: string;

beforeAll(async () => {
  parent = await mkdtemp(path.join(os.tmpdir(), 'lorafa-locks-'));
});

afterAll(() => rm(parent, { recursive: true }));

function freshFolder(): Promise<string> {
  return mkdtemp(path.join(parent, 'run-'));
}

/** The lock of such a process in a fresh folder. */
async function foreignLock(secondsAgo: number): Promise<{ folder: string; file: string }> {
  const folder = await freshFolder();
  const file = path.join(folder, LOCK_FILE);
  const mark = { pid: 1, host: 'elsewhere', started: '5', boot: 'another', namespace: 'pid:[1]' };
  await writeFile(file, JSON.stringify({ ...mark, token: 'abc' }));
  await setTime(file, secondsAgo);
  return { folder, file };
}

function setTime(file: string, secondsAgo: number): Promise<void> {
  const time = new Date(Date.now() - secondsAgo * 1000);
  return utimes(file, time, time);
}

test.concurrent('one that says it lives is held', async () => {
  const { folder } = await foreignLock(10);
  expect(await readLock(folder)).toMatchObject({ host: 'elsewhere' });
  await expect(RunLock.acquire(folder)).rejects.toThrow('on the computer elsewhere (process 1)');
});

test.concurrent.for([60, 7 * 24 * 3600, -3600])(
  'one that is silent is taken over after it was watched (last beat %i s ago)',
  async (secondsAgo) => {
    const { folder } = await foreignLock(secondsAgo);
    expect(await readLock(folder)).toBeUndefined();
    const start = performance.now();
    const lock = await RunLock.acquire(folder);
    expect(performance.now() - start).toBeGreaterThan(5500);
    expect(await readLock(folder)).toMatchObject({ pid: process.pid });
    await lock.release();
  },
);

test.concurrent('one that beats is held, whatever clock it goes by', async () => {
  const { folder, file } = await foreignLock(3600);
  const beat = setInterval(() => void setTime(file, 3600), 2000);
  await expect(RunLock.acquire(folder)).rejects.toMatchObject({ code: 'output.in_use' });
  clearInterval(beat);
});

test('a holder beats while its event loop stands still, as inside ONNX Runtime', async () => {
  const folder = await freshFolder();
  const file = path.join(folder, LOCK_FILE);
  const lock = await RunLock.acquire(folder);
  // The thread that beats has started.
  await delay(1000);
  const { mtimeMs: before } = await stat(file);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 7000);
  expect((await stat(file)).mtimeMs - before).toBeGreaterThan(2000);
  await lock.release();
  await expect(stat(file)).rejects.toThrow('ENOENT');
});
