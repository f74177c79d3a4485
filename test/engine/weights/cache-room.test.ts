import { describe, expect, test } from 'vitest';
import type { CacheEntry } from '../../../engine/weights/cache-entries.ts';
import { cacheLimit, chooseEvictions, makeRoom } from '../../../engine/weights/cache-room.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** Weights of ten bytes each, the first one used longest ago. */
function entries(names: string, inUse = ''): readonly CacheEntry[] {
  return [...names].map((model, usedAt) => ({
    kind: 'gguf',
    model,
    file: model,
    bytes: 10,
    usedAt,
    isInUse: inUse.includes(model),
  }));
}

const models = (chosen: readonly CacheEntry[] | undefined) =>
  chosen?.map(({ model }) => model).join('');

describe('what makes room for other weights', () => {
  test.each<[string, string, string, number, number, number, string | undefined]>([
    ['nothing where all of it fits', 'abc', '', 10, 40, 100, ''],
    ['what was used longest ago where the limit is reached', 'abc', '', 10, 30, 100, 'a'],
    ['as much as is needed', 'abc', '', 15, 30, 100, 'ab'],
    ['never what is in use', 'abc', 'ab', 10, 30, 100, 'c'],
    [
      'all that is not in use, for weights that are larger than the limit',
      'abc',
      'b',
      99,
      30,
      200,
      'ac',
    ],
    ['more than the limit asks for, where the disk is full', 'abc', '', 25, 1000, 10, 'ab'],
    ['nothing where the disk has no room in any case', 'abc', '', 41, 1000, 10, undefined],
    ['nothing where what is in use would have to go', 'abc', 'abc', 11, 1000, 10, undefined],
  ])('%s', (_, names, inUse, needed, limit, free, expected) => {
    expect(models(chooseEvictions(entries(names, inUse), needed, { limit, free }))).toBe(expected);
  });
});

test('the limit is one of the environment, or 50 GiB', () => {
  expect(cacheLimit({})).toBe(50 * 2 ** 30);
  expect(cacheLimit({ LORAFA_CACHE_MAX_GIB: '0.5' })).toBe(2 ** 29);
  expect(cacheLimit({ LORAFA_CACHE_MAX_GIB: '0' })).toBe(0);
  for (const LORAFA_CACHE_MAX_GIB of ['much', '-1', '5 GB']) {
    expect(() => cacheLimit({ LORAFA_CACHE_MAX_GIB })).toThrow(
      `LORAFA_CACHE_MAX_GIB is "${LORAFA_CACHE_MAX_GIB}"; give the GiB`,
    );
  }
});

test('weights that no disk holds are refused before anything is made or removed', async () => {
  const folder = await tempFolder();
  await expect(makeRoom(folder, 'huge-model', 2 ** 60)).rejects.toMatchObject({
    code: 'output.no_space',
    message: expect.stringMatching(
      /^The weights made of huge-model need 1073741824.0 GiB in .*, and there is room for .* GiB; free some space, or set LORAFA_CACHE_DIR/,
    ) as string,
  });
});
