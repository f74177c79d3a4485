import type { RunSummary } from '../../server/protocol/runs.ts';
import { RUN_STATES } from '../../server/trainer/run-status.ts';
import { byName } from '../by-name.ts';
import type { RunList } from './run-list.ts';
import { secondsOf } from './run-texts.ts';

/** By what runs are put into order; live ones come first in each. */
export const RUN_ORDERS = ['newest', 'name', 'loss', 'evalLoss', 'duration', 'state'] as const;

/** One of {@link RUN_ORDERS}. */
export type RunOrder = (typeof RUN_ORDERS)[number];

/** How the user wants to see the runs. */
export interface RunArrangement {
  readonly order: RunOrder;
  /** Words that all must be found in what is known of a run; empty for all runs. */
  readonly filter: string;
  readonly isGrouped: boolean;
}

/** How runs are shown at first. */
export const PLAIN_ARRANGEMENT: RunArrangement = { order: 'newest', filter: '', isGrouped: false };

/** Runs of one configuration. */
export interface RunGroup {
  /** Path of the file; null for runs of which nobody knows it. */
  readonly configFile: string | null;
  readonly runs: RunList;
}

/** The runs that a filter leaves, in the wanted order. */
export function arrangeRuns(runs: RunList, { order, filter }: RunArrangement): RunList {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const compare = COMPARISONS[order];
  return runs
    .filter((run) => {
      const text = wordsOf(run);
      return words.every((word) => text.includes(word));
    })
    .toSorted((a, b) => Number(b.isLive) - Number(a.isLive) || compare(a, b));
}

/** Puts runs that stand in their order into groups, which come in the order of their first runs. */
export function groupRuns(runs: RunList): readonly RunGroup[] {
  const groups = new Map<string | null, RunSummary[]>();
  for (const run of runs) {
    const known = groups.get(run.configFile);
    if (known === undefined) groups.set(run.configFile, [run]);
    else known.push(run);
  }
  return [...groups].map(([configFile, members]) => ({ configFile, runs: members }));
}

const newestFirst = (a: RunSummary, b: RunSummary): number =>
  b.status.since.localeCompare(a.status.since) || byName(a.name, b.name);

const COMPARISONS: Readonly<Record<RunOrder, (a: RunSummary, b: RunSummary) => number>> = {
  newest: newestFirst,
  name: (a, b) => byName(a.name, b.name),
  loss: (a, b) => ascending(a.status.loss, b.status.loss) || newestFirst(a, b),
  evalLoss: (a, b) => ascending(a.status.evalLoss, b.status.evalLoss) || newestFirst(a, b),
  duration: (a, b) => secondsOf(b) - secondsOf(a) || newestFirst(a, b),
  state: (a, b) =>
    RUN_STATES.indexOf(a.status.state) - RUN_STATES.indexOf(b.status.state) || newestFirst(a, b),
};

/** What is not known comes last. */
function ascending(a: number | null, b: number | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a - b;
}

/** What a filter looks in: name, state, configuration, tags (`#good`) and note. */
function wordsOf({ name, status, configFile, notes }: RunSummary): string {
  const file = configFile?.split(/[\\/]/).at(-1) ?? '';
  const tags = notes.tags.map((tag) => `#${tag}`);
  return [name, status.state, file, ...tags, notes.text].join('\n').toLowerCase();
}
