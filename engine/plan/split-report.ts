import { countExamples, type DatasetReport, type IssueList } from '../data/report.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import type { SplitReport } from '../train/events.ts';

/** Counts over examples, and over the rows that they were made of. */
export function splitReport(
  examples: readonly TokenizedExample[],
  reports: readonly DatasetReport[] = [],
): SplitReport {
  const { used, tokens, supervisedTokens, truncatedRows } = countExamples(examples);
  const droppedRows = reports.reduce(
    (sum, { dropped, neverSupervised }) => sum + dropped.count + neverSupervised.count,
    0,
  );
  return { rows: used, tokens, supervisedTokens, truncatedRows, droppedRows };
}

/** The counts of `rows` rows that are like those of a report, which are `looked`. */
export function inferredReport(report: SplitReport, looked: number, rows: number): SplitReport {
  const inferred = (counted: number): number => Math.round((counted * rows) / looked);
  return {
    rows: inferred(report.rows),
    tokens: inferred(report.tokens),
    supervisedTokens: inferred(report.supervisedTokens),
    truncatedRows: inferred(report.truncatedRows),
    droppedRows: inferred(report.droppedRows),
    inferredFrom: looked,
  };
}

/** Sentences about rows that were cut, left out or not learned whole. */
export function issueWarnings(report: DatasetReport): readonly string[] {
  return [
    ...droppedWarnings(report),
    ...warningOf('left out because nothing in them could be learned', report.neverSupervised),
    ...warningOf('cut at max_length', report.truncated),
    ...warningOf('learned only in their last answer', report.lastTurnOnly),
    ...warningOf('there more than once', report.duplicates),
    ...warningOf('learned in a single token', report.nearlyEmpty),
  ];
}

/** A sentence about rows that say nothing about other rows, if there are any. */
export function sharedWarnings(shared: IssueList): readonly string[] {
  return warningOf('held out and learned all the same', shared);
}

/** A sentence about rows that could not be used, if there are any. */
export function droppedWarnings({ dropped }: DatasetReport): readonly string[] {
  return warningOf('dropped', dropped);
}

function warningOf(what: string, { count, first: [row] }: IssueList): readonly string[] {
  if (row === undefined) return [];
  const rows = count === 1 ? '1 row was' : `${count} rows were`;
  const { file, line, reason } = row;
  return [`${rows} ${what} (${file}:${line}: ${reason}${count > 1 ? '; …' : ''}).`];
}
