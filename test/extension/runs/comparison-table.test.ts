import { expect, test, vi } from 'vitest';
import { bestRuns } from '../../../extension/runs/best-runs.ts';
import {
  comparisonCsv,
  describeBest,
  resultRows,
} from '../../../extension/runs/comparison-table.ts';
import { runSummary } from '../../support/run-summary.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const RUNS = [
  runSummary({ state: 'completed', step: 9, maxSteps: 9, loss: 0.5 }, { seconds: 61.4 }),
  runSummary(
    { state: 'failed', step: 4, maxSteps: 1_045_000, evalLoss: -1 },
    { folder: '/runs/=1+1', notes: { text: 'says "no",\nmostly', tags: ['a', 'b'] } },
  ),
];

test('what came of runs stands beside each other; what none has is left out', () => {
  const rows = new Map(resultRows(RUNS, new Map()).map(({ key, values }) => [key, values]));
  expect(rows.get('State')).toEqual(['Completed', 'Failed']);
  expect(rows.get('Step')).toEqual(['9 / 9', '4 / 1,045,000']);
  expect(rows.get('Loss')).toEqual(['0.500', null]);
  expect(rows.get('Tags')).toEqual([null, 'a, b']);
  expect(rows.has('Started')).toBe(false);
});

test('the best run is marked in words, by what it is the best', () => {
  const [worse, better] = [0.5, 0.25].map((evalLoss, index) =>
    runSummary({ state: 'completed', loss: index, evalLoss }, { folder: `/runs/${index}` }),
  );
  const runs = [worse!, better!];
  const sameRows = new Map(runs.map(({ folder }) => [folder, 'rows']));
  const rows = new Map(resultRows(runs, sameRows).map(({ key, values }) => [key, values]));
  expect(rows.get('Evaluation loss')).toEqual(['0.500', '0.250 (lowest)']);
  expect(rows.get('Loss')).toEqual(['0.000', '1.000']);
  expect(runs.map((run) => describeBest(run, bestRuns(runs, sameRows)))).toEqual([
    null,
    'lowest evaluation loss',
  ]);
  expect(comparisonCsv(runs, [])).not.toContain('lowest');
});

test('a table has a run a row, numbers as they are, and nothing that a spreadsheet would run', () => {
  const config = [
    { key: 'lora.r', values: ['8', '16'] },
    { key: 'lora.target_modules', values: ['"all-linear"', '["q_proj"]'] },
    { key: 'training.seed', values: ['null', null] },
  ];
  expect(comparisonCsv(RUNS, config).split('\r\n')).toEqual([
    'run,folder,state,started,seconds,step,loss,eval_loss,device,tags,note,lora.r,lora.target_modules,training.seed',
    'first,/home/me/runs/first,completed,,61,9,0.5,,,,,8,all-linear,',
    `'=1+1,/runs/=1+1,failed,,0,4,,-1,,"a, b","says ""no"",\nmostly",16,"[""q_proj""]",`,
    '',
  ]);
});
