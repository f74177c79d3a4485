import { expect, test, vi } from 'vitest';
import { runItem } from '../../../extension/views/run-item.ts';
import { runSummary } from '../../support/run-summary.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

test('what a narrow row shows is what came of the run, before its tags', () => {
  const run = runSummary(
    { state: 'completed', loss: 0.3, evalLoss: 0.4 },
    { seconds: 660, notes: { text: '', tags: ['good', 'baseline'] } },
  );
  expect(runItem(run).description).toMatch(
    /^loss 0\.300 · eval 0\.400 · #good · #baseline · .* · 11 min$/,
  );
});
