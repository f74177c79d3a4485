import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ensureFolder } from '../../../engine/files/folders.ts';
import { removeFileUnless } from '../../../engine/files/remove.ts';
import { cacheEntries, emptyCache } from '../../../engine/weights/cache-entries.ts';
import { markUse } from '../../../engine/weights/cache-use.ts';
import { cachedWeights } from '../../../engine/weights/weight-cache.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { smallWeights } from './small-weights.ts';

const KIB = 2 ** 10;

/** A cached file that nobody uses, last used so many minutes ago. */
async function cached(cacheFolder: string, model: string, minutes: number): Promise<string> {
  const folder = path.join(cacheFolder, 'gguf');
  await ensureFolder(folder);
  const key = Buffer.from(model).toString('hex').slice(0, 16).padEnd(16, '0');
  const file = path.join(folder, `${model}-${key}.safetensors`);
  await writeFile(file, Buffer.alloc(KIB));
  const time = Date.now() / 1000 - 60 * minutes;
  await utimes(file, time, time);
  return file;
}

/** The mark of a process that is gone, which lived so many minutes ago. */
async function deadMark(cacheFolder: string, file: string, minutes: number): Promise<void> {
  const folder = path.join(cacheFolder, 'in-use');
  await ensureFolder(folder);
  await markUse(path.join(cacheFolder, 'nf4', 'any'));
  const [own] = await readdir(folder);
  const mark = JSON.parse(await readFile(path.join(folder, own!), 'utf8')) as object;
  const name = path.join(
    folder,
    `gguf-${path.basename(file, '.safetensors').slice(-16)}.dead.json`,
  );
  await writeFile(name, JSON.stringify({ ...mark, pid: 999_999_999, token: 'dead' }));
  const time = Date.now() / 1000 - 60 * minutes;
  await utimes(name, time, time);
}

/** Makes weights of half a KiB into the cache, which may have so many bytes. */
async function make(cacheFolder: string, limit: number): Promise<void> {
  vi.stubEnv('LORAFA_CACHE_MAX_GIB', String(limit / 2 ** 30));
  onTestFinished(() => void vi.unstubAllEnvs());
  await cachedWeights(smallWeights(), { cacheFolder, onProgress: () => undefined });
}

const models = async (cacheFolder: string): Promise<readonly string[]> =>
  (await cacheEntries(cacheFolder)).map(({ model }) => model);

test('what was used longest ago makes room', async () => {
  const cacheFolder = await tempFolder();
  for (const [model, minutes] of Object.entries({ older: 30, newest: 10, oldest: 40, newer: 20 })) {
    await cached(cacheFolder, model, minutes);
  }
  expect(await models(cacheFolder)).toEqual(['oldest', 'older', 'newer', 'newest']);
  await make(cacheFolder, 3 * KIB);
  expect(await models(cacheFolder)).toEqual(['newer', 'newest', 'new']);
});

test('where weights cannot be written, the cache is what has to be elsewhere', async () => {
  const cacheFolder = path.join(await tempFolder(), 'cache');
  await writeFile(cacheFolder, 'a file');
  await expect(make(cacheFolder, 3 * KIB)).rejects.toMatchObject({
    code: 'output.not_writable',
    message: expect.stringMatching(
      /^Cannot write to .*cache.* is a file, not a folder; this is the cache of weights, so set LORAFA_CACHE_DIR to a folder with room\.$/,
    ),
  });
});

test('what a process uses stays, however long ago it began', async () => {
  const cacheFolder = await tempFolder();
  const file = await cached(cacheFolder, 'used', 50);
  await cached(cacheFolder, 'other', 10);
  await markUse(file);
  await utimes(file, 0, 0);
  await make(cacheFolder, KIB);
  expect(await models(cacheFolder)).toEqual(['used', 'new']);
  const { removed, kept } = await emptyCache(cacheFolder);
  expect([removed.length, kept.map(({ model }) => model)]).toEqual([0, ['used', 'new']]);
});

test('what a process used that is gone counts as used until it ended', async () => {
  const cacheFolder = await tempFolder();
  const file = await cached(cacheFolder, 'long-run', 300);
  await cached(cacheFolder, 'other', 60);
  await deadMark(cacheFolder, file, 5);
  expect(await models(cacheFolder)).toEqual(['other', 'long-run']);
  expect(Date.now() - (await stat(file)).mtimeMs).toBeLessThan(6 * 60_000);
  // The mark went, and what it told is kept.
  expect(await readdir(path.join(cacheFolder, 'in-use'))).toHaveLength(1);
  expect(await models(cacheFolder)).toEqual(['other', 'long-run']);
  const { removed } = await emptyCache(cacheFolder);
  expect(removed.map(({ model }) => model)).toEqual(['other', 'long-run']);
});

test('a mark that was being made when its process was killed goes with the next that is made', async () => {
  const cacheFolder = await tempFolder();
  const file = await cached(cacheFolder, 'used', 1);
  const folder = path.join(cacheFolder, 'in-use');
  await ensureFolder(folder);
  await writeFile(path.join(folder, '.gguf-0.json.999999999_1-0123abcd.tmp'), '');
  await markUse(file);
  const names = await readdir(folder);
  expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  expect(names).toHaveLength(1);
});

test('what somebody comes to use while it is being removed gets its name back', async () => {
  const cacheFolder = await tempFolder();
  const file = await cached(cacheFolder, 'wanted', 10);
  const before = await stat(file);
  const isRemoved = await removeFileUnless(file, async () => {
    // Who looks for it now finds nothing, not a part of it.
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
    return true;
  });
  expect(isRemoved).toBe(false);
  expect((await stat(file)).ino).toBe(before.ino);
  expect(await readdir(path.dirname(file))).toEqual([path.basename(file)]);
});

test('what is none of the cache is neither listed nor removed', async () => {
  const cacheFolder = await tempFolder();
  const folder = path.dirname(await cached(cacheFolder, 'model', 10));
  for (const name of ['notes.txt', 'model.safetensors'])
    await writeFile(path.join(folder, name), '');
  await ensureFolder(path.join(folder, 'folder-0123456789abcdef.safetensors'));
  expect((await emptyCache(cacheFolder)).removed.map(({ model }) => model)).toEqual(['model']);
  expect(await readdir(folder)).toHaveLength(3);
});
