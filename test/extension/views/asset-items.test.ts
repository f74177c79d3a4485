import { expect, test, vi } from 'vitest';
import { adapterTree } from '../../../extension/models/adapter-tree.ts';
import { adapterItem } from '../../../extension/views/asset-items.ts';
import { foundAdapter } from '../../support/found-adapter.ts';
import { checkpoint, runSummary } from '../../support/run-summary.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const RUN = '/home/me/runs/first';
const SAVED = checkpoint({ step: 3, loss: 0.7 });
const FOUND = { baseModel: 'org/base', bytes: 3 * 2 ** 20, modified: '2025-05-01T10:00:00Z' };

test('a row says how good, how large and how old an adapter is, and on which base it works', () => {
  const [branch] = adapterTree([
    foundAdapter(RUN, { ...FOUND, isResult: true }),
    foundAdapter(SAVED.folder, { ...FOUND, checkpointOf: RUN }),
  ]);
  const runs = [
    runSummary({ state: 'completed', loss: 0.3, evalLoss: 0.4 }, { checkpoints: [SAVED] }),
  ];
  expect(adapterItem(branch!, runs).description).toBe(
    'eval 0.400 · rank 8 · base · 3 MiB · May 1, 2025',
  );
  // Without rows that were held out, the training loss; the base is that of the row above.
  expect(adapterItem(branch!.checkpoints[0]!, runs).description).toBe(
    'loss 0.700 · rank 8 · 3 MiB · May 1, 2025',
  );
});
