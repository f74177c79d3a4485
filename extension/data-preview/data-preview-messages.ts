import type { PreviewPage, PreviewState } from '../../server/protocol/data.ts';

/** What the extension tells a data preview. */
export type DataPreviewNews =
  /** How far the reading is; undefined until the first row was read. */
  | {
      readonly type: 'state';
      readonly configFile: string;
      /** Name of the file for people. */
      readonly name: string;
      readonly state: PreviewState | undefined;
      /** The user ended the reading. */
      readonly isCancelled: boolean;
    }
  | RowsNews
  /** Nothing could be read, or not to the end. */
  | { readonly type: 'failed'; readonly message: string; readonly problems: readonly string[] };

/** The rows of a page. */
export interface RowsNews extends PreviewPage {
  readonly type: 'rows';
}

/** What a data preview asks of the extension. */
export type DataPreviewRequest =
  /** The page listens; `start` is the position that it showed before. */
  | { readonly type: 'ready'; readonly start: number }
  /** The page of rows that begins at a position. */
  | { readonly type: 'rows'; readonly start: number }
  /** A page anywhere in the data. */
  | { readonly type: 'random' }
  /** Only rows that hold a text; an empty one shows all again. */
  | { readonly type: 'search'; readonly text: string }
  /** End the reading and keep what was read. */
  | { readonly type: 'cancel' }
  /** Read everything anew. */
  | { readonly type: 'refresh' }
  | { readonly type: 'openConfig' }
  | { readonly type: 'openRow'; readonly file: string; readonly line: number };

/** What the page keeps over a reload of the window. */
export interface DataPreviewState {
  readonly configFile: string;
  readonly start: number;
}
