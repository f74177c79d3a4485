import { expect, test } from 'vitest';
import { formatBytes } from '../../engine/format-bytes.ts';

test.each([
  [0, '0 KiB'],
  [1, '1 KiB'],
  [845 * 2 ** 10, '845 KiB'],
  [2 ** 20 - 1, '1 MiB'],
  [3 * 2 ** 20, '3 MiB'],
  [2 ** 30 - 1, '1.0 GiB'],
  [1.5 * 2 ** 30, '1.5 GiB'],
])('%d bytes are told as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
