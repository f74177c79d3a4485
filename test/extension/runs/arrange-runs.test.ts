import { expect, test, vi } from 'vitest';
import {
  arrangeRuns,
  groupRuns,
  PLAIN_ARRANGEMENT,
  type RunArrangement,
} from '../../../extension/runs/arrange-runs.ts';
import { runSummary } from '../../support/run-summary.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const run = (name: string, status: Parameters<typeof runSummary>[0], more = {}) =>
  runSummary(
    { state: 'completed', since: '2026-01-01T00:00:00.000Z', ...status },
    { folder: `/runs/${name}`, ...more },
  );

const RUNS = [
  run('run-10', { loss: 0.3, evalLoss: 0.9 }, { configFile: '/a.lorafa.json', seconds: 5 }),
  run('run-9', { loss: null, state: 'failed', since: '2026-02-01T00:00:00.000Z' }),
  run(
    'run-2',
    { loss: 0.2, evalLoss: 1 },
    { configFile: '/a.lorafa.json', notes: { text: 'The larger rate', tags: ['good'] } },
  ),
  run('live', { state: 'paused', loss: 5 }),
];

const names = (change: Partial<RunArrangement>): string[] =>
  arrangeRuns(RUNS, { ...PLAIN_ARRANGEMENT, ...change }).map(({ name }) => name);

test.each<[RunArrangement['order'], string[]]>([
  ['newest', ['live', 'run-9', 'run-2', 'run-10']],
  ['name', ['live', 'run-2', 'run-9', 'run-10']],
  ['loss', ['live', 'run-2', 'run-10', 'run-9']],
  ['evalLoss', ['live', 'run-10', 'run-2', 'run-9']],
  ['duration', ['live', 'run-10', 'run-9', 'run-2']],
  ['state', ['live', 'run-2', 'run-10', 'run-9']],
])('runs by %s, the live ones first', (order, expected) => {
  expect(names({ order })).toEqual(expected);
});

test.each<[string, string[]]>([
  ['', ['live', 'run-9', 'run-2', 'run-10']],
  ['RUN a.lorafa', ['run-2', 'run-10']],
  ['#good larger', ['run-2']],
  ['failed', ['run-9']],
  ['nothing', []],
])('the filter "%s" finds its words wherever they stand', (filter, expected) => {
  expect(names({ filter })).toEqual(expected);
});

test('groups are those of the configurations', () => {
  const groups = groupRuns(arrangeRuns(RUNS, { ...PLAIN_ARRANGEMENT, order: 'name' }));
  expect(groups.map(({ configFile, runs }) => [configFile, runs.map(({ name }) => name)])).toEqual([
    [null, ['live', 'run-9']],
    ['/a.lorafa.json', ['run-2', 'run-10']],
  ]);
});
