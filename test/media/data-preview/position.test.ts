import { expect, test } from 'vitest';
import type { DataPreviewTexts } from '../../../extension/data-preview/data-preview-texts.ts';
import { describePosition } from '../../../media/data-preview/position.ts';
import type { PreviewState } from '../../../server/protocol.ts';

/** Every text is its own key, with room for its values. */
const texts = new Proxy({} as DataPreviewTexts, {
  get: (_, key) => `${String(key)} {0} {1} {2} {3}`,
});

function state(used: number, changes: Partial<PreviewState> = {}): PreviewState {
  return { isReading: false, search: null, report: { used }, ...changes } as PreviewState;
}

test.each([
  ['some rows', state(12), 5, 10, 'position 6 10 12 {3}'],
  ['none yet', state(0, { isReading: true }), 0, 0, ''],
  ['none at all', state(0), 0, 0, 'noRows {0} {1} {2} {3}'],
  [
    'a search under way',
    state(12, { search: { text: 'x', found: 2, share: 0.5 } }),
    0,
    2,
    'found 1 2 2 x · searching 50 {1} {2} {3}',
  ],
  [
    'nothing found so far',
    state(12, { search: { text: 'x', found: 0, share: 1 }, isReading: true }),
    0,
    0,
    'searching 100 {1} {2} {3}',
  ],
  [
    'nothing found',
    state(12, { search: { text: 'x', found: 0, share: 1 } }),
    0,
    0,
    'noneFound x {1} {2} {3}',
  ],
])('%s', (_, shown, start, last, expected) => {
  expect(describePosition(texts, shown, start, last, String)).toBe(expected);
});
