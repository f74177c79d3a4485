import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { cacheEntries, emptyCache } from '../../../engine/weights/cache-entries.ts';
import { cachedWeights } from '../../../engine/weights/weight-cache.ts';
import { bundledProgram } from '../../support/bundled-program.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { smallWeights } from './small-weights.ts';

const PROGRAM = fileURLToPath(new URL('cache-user.ts', import.meta.url));

/** Starts a process, waits until it is in the middle of its task, and returns what kills it. */
async function inTheMiddle(...words: readonly string[]): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [await bundledProgram(PROGRAM), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

async function makes(cacheFolder: string): Promise<boolean> {
  let isMade = false;
  await cachedWeights(smallWeights(), {
    cacheFolder,
    onProgress: () => {
      isMade = true;
    },
  });
  return isMade;
}

test('what another process uses stays until that is killed', async () => {
  const cacheFolder = await tempFolder();
  const kill = await inTheMiddle('uses', cacheFolder);
  expect((await cacheEntries(cacheFolder)).map(({ isInUse }) => isInUse)).toEqual([true]);
  expect((await emptyCache(cacheFolder)).kept).toHaveLength(1);
  await kill();
  expect((await emptyCache(cacheFolder)).removed).toHaveLength(1);
  expect(await readdir(path.join(cacheFolder, 'nf4'))).toEqual([]);
  expect(await readdir(path.join(cacheFolder, 'in-use'))).toEqual([]);
});

test.each(['makes', 'removes'])(
  'a process that is killed while it %s weights leaves nothing that stays',
  async (task) => {
    const cacheFolder = await tempFolder();
    const folder = path.join(cacheFolder, 'nf4');
    if (task === 'removes') await (await inTheMiddle('uses', cacheFolder))();
    const file = (await cacheEntries(cacheFolder))[0]?.file ?? '';
    const kill = await inTheMiddle(task, cacheFolder, file);
    expect(await cacheEntries(cacheFolder)).toEqual([]);
    await kill();

    const [leftover] = await readdir(folder);
    expect(leftover).toMatch(/\.tmp$/);
    const longAgo = Date.now() / 1000 - 3600;
    await utimes(path.join(folder, leftover!), longAgo, longAgo);
    expect(await makes(cacheFolder)).toBe(true);
    expect(await makes(cacheFolder)).toBe(false);
    expect(await readdir(folder)).toEqual([
      path.basename((await cacheEntries(cacheFolder))[0]!.file),
    ]);
  },
);
