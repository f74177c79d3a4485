import { expect, test, vi } from 'vitest';
import {
  described,
  downloadsText,
  licenceName,
  rowsText,
  verdict,
} from '../../../extension/hub/hub-texts.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const GIB = 2 ** 30;

test.each([
  [{ stored: 2 * GIB, nf4: null, limit: 8 * GIB }, 'Trains in 2.0 GiB of memory; 8.0 GiB are free'],
  [{ stored: 9 * GIB, nf4: 6 * GIB, limit: 8 * GIB }, /^Trains in 6.0 GiB of memory .*NF4/],
  [{ stored: 19 * GIB, nf4: 12 * GIB, limit: 8 * GIB }, /^Too large .* 12.0 GiB .* 8.0 GiB/],
])('%o', (memory, text) => {
  expect(verdict(memory)).toMatch(text);
});

test('licences as people write them', () => {
  expect(
    ['apache-2.0', 'cc-by-sa-4.0', 'cc0-1.0', 'cc-by-nc-4.0', 'gpl-3.0'].map(licenceName),
  ).toEqual(['Apache 2.0', 'CC BY-SA 4.0', 'CC 0 1.0', 'CC BY-NC 4.0', 'gpl-3.0']);
  expect(licenceName(null)).toBe('no licence named');
});

test('rows, downloads, and what there is of a description', () => {
  expect([rowsText(7473), rowsText('1K<n<10K'), rowsText('n<1K'), rowsText(null)]).toEqual([
    '7,473 rows',
    '1K to 10K rows',
    null,
    null,
  ]);
  expect([downloadsText(1), downloadsText(1200)]).toEqual(['1 download', '1,200 downloads']);
  expect(described('a', null, false, '', 'b')).toBe('a · b');
});
