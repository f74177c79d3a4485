import { countExamples, type DatasetReport, type IssueList } from '../data/report.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import type { SplitReport } from './plan-reports.ts';

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

/** The counts of `rows` rows that are like those of a report, which are `looked`; of all of them as they are. */
export function inferredReport(report: SplitReport, looked: number, rows: number): SplitReport {
  if (looked === rows) return report;
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

/**
 * Sentences about rows that were cut, left out or not learned whole.
 *
 * @param looked how many rows of more the report is about; undefined where it is about all
 */
export function issueWarnings(report: DatasetReport, looked?: number): readonly string[] {
  const issues: readonly (readonly [string, IssueList])[] = [
    [DROPPED, report.dropped],
    ['left out because nothing in them could be learned', report.neverSupervised],
    ['cut at max_length', report.truncated],
    ['learned only in their last answer', report.lastTurnOnly],
    ['there more than once', report.duplicates],
    ['learned in a single token', report.nearlyEmpty],
    ['learned right behind the last character of their prompts', report.unseparated],
  ];
  return issues.flatMap(([what, list]) => warningOf(what, list, looked));
}

const DROPPED = 'dropped';

/** A sentence about rows that say nothing about other rows, if there are any. */
export function sharedWarnings(shared: IssueList): readonly string[] {
  return warningOf(SHARED, shared);
}

/** How many rows a sentence of {@link sharedWarnings} is about; undefined for any other sentence. */
export function sharedRowsOf(warning: string): number | undefined {
  const count = new RegExp(`^(\\d+) rows? (?:was|were) ${SHARED} `).exec(warning)?.[1];
  return count === undefined ? undefined : Number(count);
}

const SHARED = 'held out and learned all the same';

/** A sentence about rows that could not be used, if there are any. */
export function droppedWarnings({ dropped }: DatasetReport): readonly string[] {
  return warningOf(DROPPED, dropped);
}

function warningOf(
  what: string,
  { count, first: [row] }: IssueList,
  looked?: number,
): readonly string[] {
  if (row === undefined) return [];
  const of = looked === undefined ? '' : ` of the first ${looked}`;
  const rows = count === 1 ? `1 row${of} was` : `${count} rows${of} were`;
  const { file, line, reason } = row;
  return [`${rows} ${what} (${file}:${line}: ${reason}${count > 1 ? '; …' : ''}).`];
}
