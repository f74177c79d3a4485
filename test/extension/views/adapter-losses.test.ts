import { expect, test } from 'vitest';
import { lossesOf } from '../../../extension/views/adapter-losses.ts';
import { foundAdapter } from '../../support/found-adapter.ts';
import { checkpoint, runSummary } from '../../support/run-summary.ts';

const FOLDER = '/home/me/runs/first';
const result = foundAdapter(FOLDER, { isResult: true });
const third = checkpoint({ step: 3, loss: 0.7, evalLoss: 0.8 });

test('a result is as good as its run was at the end, or at the step whose checkpoint it is', () => {
  const end = { state: 'completed', step: 9, maxSteps: 9, loss: 0.3, evalLoss: 0.9 } as const;
  const run = { folder: FOLDER, adapter: FOLDER, checkpoints: [third] };
  expect(lossesOf(result, [runSummary(end, run)])).toEqual({ loss: 0.3, evalLoss: 0.9 });
  const best = { ...end, resultStep: 3 };
  expect(lossesOf(result, [runSummary(best, run)])).toMatchObject({ loss: 0.7, evalLoss: 0.8 });
});

test('of what is there while its run goes on again, and of adapters from elsewhere, nobody knows', () => {
  const unknown = { loss: null, evalLoss: null };
  expect(lossesOf(result, [runSummary({ state: 'running', loss: 0.1 })])).toEqual(unknown);
  expect(lossesOf(foundAdapter('/downloaded'), [runSummary({ state: 'running' })])).toEqual(
    unknown,
  );
});

test('a checkpoint has the losses of its step, unless the run went another way since', () => {
  const saved = foundAdapter(third.folder, { checkpointOf: FOLDER });
  const onItsWay = runSummary({ state: 'stopped' }, { checkpoints: [third] });
  expect(lossesOf(saved, [onItsWay])).toMatchObject({ loss: 0.7, evalLoss: 0.8 });
  const left = { ...third, isCurrent: false };
  const elsewhere = runSummary({ state: 'stopped' }, { checkpoints: [left] });
  expect(lossesOf(saved, [elsewhere])).toEqual({ loss: null, evalLoss: null });
});
