import { LorafaError } from '../../engine/errors.ts';
import { EVAL_SCALARS, STEP_SCALARS, scalarsOf } from '../../engine/report/scalars.ts';
import type { JournalEntry } from '../../engine/train/journal-entry.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { type CsvValue, toCsv } from '../csv.ts';
import { JournalReader } from './journal-reader.ts';

/** What was measured at a step of a run, by the names in the journal; null where nothing was. */
export type MetricRow = Readonly<Record<MetricColumn, CsvValue>>;

const COLUMNS = ['step', 'time', ...STEP_SCALARS, 'memory', ...EVAL_SCALARS] as const;

type MetricColumn = (typeof COLUMNS)[number];

const NOTHING = Object.fromEntries(COLUMNS.map((column) => [column, null])) as MetricRow;

/** What the journal of a run tells. */
export interface RunMetrics {
  /**
   * A row for each step at which something was measured, in their order. Steps that a session left behind when it
   * went back to an earlier checkpoint are not among them.
   */
  readonly rows: readonly MetricRow[];
  /** What was left out since it is damaged, as a sentence for people; null if nothing. */
  readonly problem: string | null;
}

/**
 * What was measured in a run.
 *
 * @throws LorafaError `output.not_found` where there is no journal that could be read
 */
export async function runMetrics(folder: string): Promise<RunMetrics> {
  const journal = new JournalReader(folder);
  const rows = new Map<number, MetricRow>();
  let restarts = 0;
  let isEmpty = true;
  for await (const entries of journal.read()) {
    isEmpty = false;
    if (journal.restarts !== restarts) rows.clear();
    restarts = journal.restarts;
    for (const entry of entries) add(entry, rows);
  }
  if (isEmpty) {
    const reason = journal.problem?.replace(/\.$/, '') ?? `it has no ${RUN_FILES.journal}`;
    throw new LorafaError(
      'output.not_found',
      `${folder} is not the folder of a run: ${reason}; name the training.output_dir of one.`,
      { location: { file: folder } },
    );
  }
  return { rows: [...rows.values()], problem: journal.problem };
}

/** The same as CSV, for spreadsheets and for programs. */
export function metricsCsv(rows: readonly MetricRow[]): string {
  return toCsv([COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column]))]);
}

function add(entry: JournalEntry, rows: Map<number, MetricRow>): void {
  if (entry.type === 'started') {
    const { resumedAt } = entry.run;
    for (const step of [...rows.keys()]) if (step > resumedAt) rows.delete(step);
    return;
  }
  if (entry.type !== 'step' && entry.type !== 'eval') return;
  const { step, values } = scalarsOf(entry)!;
  const finite = Object.entries(values).filter(([, value]) => Number.isFinite(value));
  rows.set(step, {
    ...(rows.get(step) ?? NOTHING),
    step,
    time: entry.time,
    ...(entry.memory !== undefined && { memory: entry.memory }),
    ...Object.fromEntries(finite),
  });
}
