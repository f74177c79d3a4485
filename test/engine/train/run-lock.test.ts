import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { LOCK_FILE, RunLock, readLock } from '../../../engine/train/run-lock.ts';
import { train } from '../../../engine/train/train.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { TinyRuns } from './tiny-run.ts';

/** The id of a process that has ended. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid!;
}

function writeLock(folder: string, lock: object): Promise<void> {
  return writeFile(path.join(folder, LOCK_FILE), JSON.stringify(lock));
}

test('a lock is held by one process until it is released', async () => {
  const folder = await tempFolder();
  expect(await readLock(folder)).toBeUndefined();
  const lock = await RunLock.acquire(folder);
  expect(await readLock(folder)).toMatchObject({ pid: process.pid, host: os.hostname() });
  await expect(RunLock.acquire(folder)).rejects.toMatchObject({
    code: 'output.in_use',
    message: `${folder} is in use by another run (process ${process.pid}); stop that run, or choose another training.output_dir.`,
  });
  await lock.release();
  await (await RunLock.acquire(folder)).release();
  expect(await readdir(folder)).toEqual([]);
});

test('a run holds the lock of its folder, and refuses one that another process holds', async () => {
  const folder = await tempFolder();
  const config = (await TinyRuns.create(folder)).config();
  const { output_dir: output } = config.training;
  await mkdir(output);
  const lock = await RunLock.acquire(output);
  await expect(train(config, { onEvent: () => undefined })).rejects.toMatchObject({
    code: 'output.in_use',
  });
  await lock.release();
  const holders: Promise<unknown>[] = [];
  await train(config, {
    onEvent: ({ type }) => {
      if (type === 'step') holders.push(readLock(output));
    },
  });
  expect(await Promise.all(holders)).toEqual([
    expect.objectContaining({ pid: process.pid }),
    expect.objectContaining({ pid: process.pid }),
  ]);
  expect(await readLock(output)).toBeUndefined();
});

test('of many that try at once one succeeds', async () => {
  const folder = await tempFolder();
  await writeLock(folder, { pid: await deadProcess(), host: os.hostname(), started: null });
  const attempts = await Promise.allSettled(
    Array.from({ length: 8 }, () => RunLock.acquire(folder)),
  );
  expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await readLock(folder)).toMatchObject({ pid: process.pid });
});

test('the lock of a process that is gone is taken over', async () => {
  const folder = await tempFolder();
  await writeLock(folder, { pid: await deadProcess(), host: os.hostname(), started: null });
  expect(await readLock(folder)).toBeUndefined();
  await RunLock.acquire(folder);
  expect(await readLock(folder)).toMatchObject({ pid: process.pid });
  expect(await readdir(folder)).toEqual([LOCK_FILE]);
});

test('what could not be removed when a lock was taken over goes when it is let go', async () => {
  const folder = await tempFolder();
  const guard = path.join(folder, `.${LOCK_FILE}.next.tmp`);
  const lock = await RunLock.acquire(folder);
  await copyFile(path.join(folder, LOCK_FILE), guard);
  await lock.release();
  expect(await readdir(folder)).toEqual([]);

  const next = await RunLock.acquire(folder);
  await writeFile(guard, JSON.stringify({ pid: process.pid, token: 'of another' }));
  await next.release();
  expect(await readdir(folder)).toEqual([path.basename(guard)]);
});

test.runIf(process.platform === 'linux')(
  'a process id that is used again does not count',
  async () => {
    const folder = await tempFolder();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    onTestFinished(() => void child.kill('SIGKILL'));
    await writeLock(folder, { pid: child.pid, host: os.hostname(), started: '1' });
    expect(await readLock(folder)).toBeUndefined();
  },
);

test('a lock of another computer counts as held', async () => {
  const folder = await tempFolder();
  await writeLock(folder, { pid: 1, host: 'elsewhere', started: null });
  await expect(RunLock.acquire(folder)).rejects.toThrow(
    `is in use by a run on the computer elsewhere (process 1); wait for its end, or remove ${path.join(folder, LOCK_FILE)}`,
  );
});

test('a lock without content blocks nobody, but for the moment in which one may be made', async () => {
  const folder = await tempFolder();
  const file = path.join(folder, LOCK_FILE);
  await writeFile(file, '');
  expect(await readLock(folder)).toBeUndefined();
  await (await RunLock.acquire(folder)).release();
  await writeFile(file, '');
  const attempt = RunLock.acquire(folder);
  await delay(100);
  await writeLock(folder, { pid: process.pid, host: os.hostname(), started: null });
  await expect(attempt).rejects.toMatchObject({ code: 'output.in_use' });
});
