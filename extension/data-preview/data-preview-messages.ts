import type { DataPreview } from '../../server/protocol.ts';

/** What the extension tells a data preview. */
export type DataPreviewNews =
  /** Rows are being read; the page shows what it has until they come. */
  | { readonly type: 'reading' }
  | RowsNews
  | { readonly type: 'failed'; readonly message: string; readonly problems: readonly string[] };

/** Some rows, and what became of all. */
export interface RowsNews extends DataPreview {
  readonly type: 'rows';
  readonly configFile: string;
  /** Name of the file for people. */
  readonly name: string;
  /** How many rows come before the first of these. */
  readonly start: number;
}

/** What a data preview asks of the extension. */
export type DataPreviewRequest =
  /** The page of rows that begins at a position. */
  | { readonly type: 'rows'; readonly start: number }
  /** A page anywhere in the data. */
  | { readonly type: 'random' }
  /** Read everything anew. */
  | { readonly type: 'refresh' }
  | { readonly type: 'openConfig' }
  | { readonly type: 'openRow'; readonly file: string; readonly line: number };

/** What the page keeps over a reload of the window. */
export interface DataPreviewState {
  readonly configFile: string;
  readonly start: number;
}
