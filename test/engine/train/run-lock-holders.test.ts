import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ParentLock } from '../../../engine/train/parent-lock.ts';
import { LOCK_FILE, RunLock, readLock } from '../../../engine/train/run-lock.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const LOST = { code: 'output.in_use', message: expect.stringContaining('is no longer this run') };

/** A lock of a process on another computer that says it lives. */
const OTHER = { pid: 1, host: 'elsewhere', started: null, boot: 'b', namespace: 'n', token: 't' };

afterEach(() => void vi.useRealTimers());

/** As when the process was halted, or the machine slept, or its clock was set. */
function afterHalt(): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
}

describe('a holder that was halted', () => {
  test('goes on when nobody came', async () => {
    const folder = await tempFolder();
    const lock = await RunLock.acquire(folder);
    afterHalt();
    await lock.verify();
    await lock.release();
    expect(await readLock(folder)).toBeUndefined();
  });

  test('may write no more when another has the lock, and leaves that alone', async () => {
    const folder = await tempFolder();
    const file = path.join(folder, LOCK_FILE);
    const lock = await RunLock.acquire(folder);
    await lock.verify();
    await writeFile(file, JSON.stringify(OTHER));
    afterHalt();
    await expect(lock.verify()).rejects.toMatchObject(LOST);
    await expect(lock.verify()).rejects.toMatchObject(LOST);
    await lock.release();
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(OTHER);
  });

  test('takes a lock again that somebody removed by hand', async () => {
    const folder = await tempFolder();
    const lock = await RunLock.acquire(folder);
    await rm(path.join(folder, LOCK_FILE));
    afterHalt();
    await lock.verify();
    expect(await readLock(folder)).toMatchObject({ pid: process.pid });
    await lock.release();
    expect(await readLock(folder)).toBeUndefined();
  });
});

describe('a run folder that is moved or deleted while its run goes on', () => {
  const gone = { code: 'output.not_found', message: expect.stringContaining('was deleted, moved') };

  test.each<[string, (folder: string) => Promise<unknown>]>([
    ['deleted', (folder) => rm(folder, { recursive: true })],
    ['moved', (folder) => rename(folder, `${folder}-2`)],
    [
      'moved, and another made',
      async (folder) => {
        await rename(folder, `${folder}-2`);
        await mkdir(folder);
      },
    ],
  ])('%s: neither its process nor that of its parent writes there', async (_name, lose) => {
    const folder = path.join(await tempFolder(), 'run');
    await mkdir(folder);
    const own = await RunLock.acquire(folder);
    const lock = path.join(folder, LOCK_FILE);
    const content = await readFile(lock, 'utf8');
    await writeFile(lock, content.replace(`"pid":${process.pid}`, `"pid":${process.ppid}`));
    const parent = await ParentLock.open(folder);
    await lose(folder);
    afterHalt();
    await expect(own.verify()).rejects.toMatchObject(gone);
    await expect(parent.verify()).rejects.toMatchObject(gone);
    await own.release();
    await expect(readFile(lock)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a process whose parent has the lock', () => {
  test('writes while that is so', async () => {
    const folder = await tempFolder();
    const file = path.join(folder, LOCK_FILE);
    const parent = { ...OTHER, pid: process.ppid, token: 'parent' };
    await writeFile(file, JSON.stringify(parent));
    const lock = await ParentLock.open(folder);
    afterHalt();
    await lock.verify();
    await writeFile(file, JSON.stringify(OTHER));
    vi.setSystemTime(Date.now() + 3_600_000);
    await expect(lock.verify()).rejects.toMatchObject(LOST);
    await lock.release();
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(OTHER);
  });

  test('does not begin otherwise', async () => {
    const folder = await tempFolder();
    await expect(ParentLock.open(folder)).rejects.toMatchObject({ code: 'output.in_use' });
    await writeFile(path.join(folder, LOCK_FILE), JSON.stringify(OTHER));
    await expect(ParentLock.open(folder)).rejects.toMatchObject({ code: 'output.in_use' });
  });
});
