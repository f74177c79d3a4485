import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { whileThere } from '../../../server/adapters/gone-adapter.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const fail = () => Promise.reject(new Error('as the reader says it'));

test.each([
  [
    'checkpoint-5',
    'checkpoint-5 of first is not there any more: the run’s save_total_limit took it, or somebody by hand.',
  ],
  ['mine', 'The adapter mine is not there any more: it was deleted, moved or renamed.'],
])('of %s that is gone one is told why, whatever could not be read then', async (name, message) => {
  const folder = path.join(await tempFolder(), 'first', name);
  await mkdir(path.dirname(folder));
  await expect(whileThere(folder, fail)).rejects.toMatchObject({
    code: 'adapter.not_found',
    message,
  });
  await mkdir(folder, { recursive: true });
  await expect(whileThere(folder, fail)).rejects.toThrow('as the reader says it');
});

test.each(['checkpoint-5', 'mine'])(
  'where the folder that %s lay in is gone too, that is why',
  async (name) => {
    const parent = path.join(await tempFolder(), 'first');
    await expect(whileThere(path.join(parent, name), fail)).rejects.toMatchObject({
      code: 'adapter.not_found',
      message: `${name} is not there any more: the folder that it lay in, ${parent}, was deleted, moved or renamed.`,
    });
  },
);
