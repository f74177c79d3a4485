import * as vscode from 'vscode';
import { type CsvValue, toCsv } from '../../server/csv.ts';
import type { RunSummary } from '../../server/protocol/runs.ts';
import { type BestRuns, bestRuns, type Measured } from './best-runs.ts';
import type { ConfigRow } from './config-differences.ts';
import type { RunList } from './run-list.ts';
import { formatDuration, formatLoss, formatSteps, secondsOf, stateLabel } from './run-texts.ts';

/** What came of a run, in one word or number. */
interface Result {
  /** Heading in the exported table. */
  readonly key: string;
  /** Heading for people. */
  readonly label: () => string;
  /** As other programs read it; null where it is not known. */
  readonly value: (run: RunSummary) => CsvValue;
  /** As people read it, where that is another. */
  readonly shown?: (run: RunSummary) => string | null;
}

const loss = (value: number | null): string | null => (value === null ? null : formatLoss(value));

const RESULTS: readonly Result[] = [
  {
    key: 'state',
    label: () => vscode.l10n.t('State'),
    value: ({ status }) => status.state,
    shown: ({ status }) => stateLabel(status.state),
  },
  {
    key: 'started',
    label: () => vscode.l10n.t('Started'),
    value: ({ began }) => began,
    shown: ({ began }) => began && new Date(began).toLocaleString(vscode.env.language),
  },
  {
    key: 'seconds',
    label: () => vscode.l10n.t('Duration'),
    value: (run) => Math.round(secondsOf(run)),
    shown: (run) => formatDuration(secondsOf(run)),
  },
  {
    key: 'step',
    label: () => vscode.l10n.t('Step'),
    value: ({ status }) => status.step,
    shown: ({ status }) => formatSteps(status),
  },
  {
    key: 'loss',
    label: () => vscode.l10n.t('Loss'),
    value: ({ status }) => status.loss,
    shown: ({ status }) => loss(status.loss),
  },
  {
    key: 'eval_loss',
    label: () => vscode.l10n.t('Evaluation loss'),
    value: ({ status }) => status.evalLoss,
    shown: ({ status }) => loss(status.evalLoss),
  },
  {
    key: 'device',
    label: () => vscode.l10n.t('Device'),
    value: ({ status }) => status.device,
  },
  {
    key: 'tags',
    label: () => vscode.l10n.t('Tags'),
    value: ({ notes }) => notes.tags.join(', ') || null,
  },
  {
    key: 'note',
    label: () => vscode.l10n.t('Note'),
    value: ({ notes }) => notes.text || null,
  },
];

/** What came of each run, for people: rows of nothing are left out, and the best result is marked. */
export function resultRows(runs: RunList, measured: Measured): readonly ConfigRow[] {
  const best = bestRuns(runs, measured);
  return RESULTS.map(({ key, label, value, shown = (run) => value(run)?.toString() ?? null }) => ({
    key: label(),
    values: runs.map((run) => {
      const text = shown(run);
      const isBest = text !== null && best?.by === key && best.folders.has(run.folder);
      return isBest ? vscode.l10n.t('{0} (lowest)', text) : text;
    }),
  })).filter(({ values }) => values.some((value) => value !== null));
}

/** Of the best run, why it is that; null for another one. */
export function describeBest({ folder }: RunSummary, best: BestRuns | undefined): string | null {
  if (best === undefined || !best.folders.has(folder)) return null;
  return best.by === 'eval_loss'
    ? vscode.l10n.t('lowest evaluation loss')
    : vscode.l10n.t('lowest loss');
}

/**
 * Results and configurations as CSV, a run a row.
 *
 * @param config all keys, with the values of the runs in their order
 */
export function comparisonCsv(runs: RunList, config: readonly ConfigRow[]): string {
  const heading = [
    'run',
    'folder',
    ...RESULTS.map(({ key }) => key),
    ...config.map(({ key }) => key),
  ];
  const rows = runs.map((run, index) => [
    run.name,
    run.folder,
    ...RESULTS.map(({ value }) => value(run)),
    ...config.map(({ values }) => plainValue(values[index] ?? null)),
  ]);
  return toCsv([heading, ...rows]);
}

/** A value of the configuration without the quotes of JSON. */
function plainValue(json: string | null): CsvValue {
  if (json === null || json === 'null') return null;
  const value: unknown = JSON.parse(json);
  return typeof value === 'string' || typeof value === 'number' ? value : json;
}
