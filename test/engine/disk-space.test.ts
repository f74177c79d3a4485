import { expect, test } from 'vitest';
import { sizeText } from '../../engine/disk-space.ts';

test('few bytes are told in MiB, never as none', () => {
  expect([3000, 2 ** 26, 2 ** 27, 2 ** 31].map(sizeText)).toEqual([
    '1 MiB',
    '64 MiB',
    '0.1 GiB',
    '2.0 GiB',
  ]);
});
