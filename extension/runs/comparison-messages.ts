import type { ConfigRow } from './config-differences.ts';

/** A run of the comparison, as its heading shows it. */
export interface ComparedRun {
  readonly folder: string;
  readonly name: string;
  /** State and latest loss in a few words. */
  readonly description: string;
  /** Of the best run, why it is that; null for another one. */
  readonly best: string | null;
}

/** What the extension tells a comparison. */
export type ComparisonNews =
  | {
      readonly type: 'runs';
      readonly runs: readonly ComparedRun[];
      /** Names of those that are not there any more. */
      readonly gone: readonly string[];
      /** What came of them, a row for each kind of result. */
      readonly results: readonly ConfigRow[];
    }
  /** Curves of one run; see `historyRows`. `isStart`: forget the earlier ones. */
  | {
      readonly type: 'rows';
      readonly folder: string;
      readonly isStart: boolean;
      readonly rows: Float64Array;
    }
  | { readonly type: 'config'; readonly rows: readonly ConfigRow[] };

/** What a comparison asks of the extension. */
export type ComparisonRequest =
  /** Its script runs; everything is sent from the start. */
  | { readonly type: 'ready' }
  | { readonly type: 'openRun'; readonly folder: string }
  /** Write the table into a file. */
  | { readonly type: 'export' };

/** What the page keeps over a reload of the window. */
export interface ComparisonState {
  readonly folders: readonly string[];
  readonly smoothing?: number;
  readonly isLogScale?: boolean;
}
