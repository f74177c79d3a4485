import type { RowPlace } from './row.ts';
import { countSupervised, type TokenizedExample } from './tokenized-example.ts';

/** Something to know about one row. */
export interface RowIssue extends RowPlace {
  readonly reason: string;
}

/** Issues of one kind: all are counted, the first ones are kept. */
export interface IssueList {
  readonly count: number;
  /** In the order of the files; at most {@link MAX_LISTED_ISSUES}. */
  readonly first: readonly RowIssue[];
}

/** How many issues of one kind are kept to be shown. */
export const MAX_LISTED_ISSUES = 100;

/** Counts over a set of examples. */
export interface ExampleCounts {
  /** Examples. */
  readonly used: number;
  /** Tokens, without padding. */
  readonly tokens: number;
  /** Tokens that the loss is computed on. */
  readonly supervisedTokens: number;
  readonly truncatedRows: number;
  /** Tokens of the longest example. */
  readonly longest: number;
}

/** What became of the rows of a data set. Every row is either used, dropped or never supervised. */
export interface DatasetReport extends ExampleCounts {
  /** Rows read. */
  readonly rows: number;
  /** How the rows were understood, e.g. `question → answer`; several where files differ. */
  readonly shapes: readonly string[];
  /** Used, without the end that did not fit into `max_length`. */
  readonly truncated: IssueList;
  /** Left out because they could not be read or used. */
  readonly dropped: IssueList;
  /** Left out because no token of them would be learned. */
  readonly neverSupervised: IssueList;
  /** Used, but only the last answer is learned; see {@link ChatSegments.lastTurnOnly}. */
  readonly lastTurnOnly: IssueList;
  /** Used, and the same as an earlier row; see {@link SeenRows}. */
  readonly duplicates: IssueList;
  /** Used, although a single token of them is learned: the end of an answer, or its beginning. */
  readonly nearlyEmpty: IssueList;
  /** Used, although nothing keeps their completion apart from their prompt. */
  readonly unseparated: IssueList;
}

/** Collects the issues of one kind. */
export class IssueCollector implements IssueList {
  count = 0;
  readonly first: RowIssue[] = [];

  add({ file, line }: RowPlace, reason: string): void {
    this.count += 1;
    if (this.first.length < MAX_LISTED_ISSUES) this.first.push({ file, line, reason });
  }
}

/** `file:line: reason; …` for the first few issues, each reason once, and how many more there are. */
export function formatIssues({ count, first }: IssueList): string {
  const shown = first.slice(0, 3);
  const places = new Map<string, string[]>();
  for (const { file, line, reason } of shown) {
    // A reason may be a sentence of its own.
    const clause = reason.replace(/\.$/, '');
    places.set(clause, [...(places.get(clause) ?? []), `${file}:${line}`]);
  }
  const text = [...places].map(([clause, rows]) => `${rows.join(', ')}: ${clause}`).join('; ');
  return count > shown.length ? `${text}; and ${count - shown.length} more` : text;
}

/** Counts examples as they come. */
export class ExampleCounter {
  counts: ExampleCounts = { used: 0, tokens: 0, supervisedTokens: 0, truncatedRows: 0, longest: 0 };

  add(example: TokenizedExample): void {
    const { used, tokens, supervisedTokens, truncatedRows, longest } = this.counts;
    const { length } = example.inputIds;
    this.counts = {
      used: used + 1,
      tokens: tokens + length,
      supervisedTokens: supervisedTokens + countSupervised(example),
      truncatedRows: truncatedRows + (example.truncated ? 1 : 0),
      longest: Math.max(longest, length),
    };
  }
}

/** Counts a set of examples. */
export function countExamples(examples: readonly TokenizedExample[]): ExampleCounts {
  const counter = new ExampleCounter();
  for (const example of examples) counter.add(example);
  return counter.counts;
}
