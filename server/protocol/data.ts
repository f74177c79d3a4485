import * as z from 'zod/mini';
import type { ColumnMapping } from '../../engine/data/guess-columns.ts';
import type { ExamplePreview } from '../../engine/data/preview.ts';
import type { DatasetReport, IssueList } from '../../engine/data/report.ts';
import type { PaddingReport } from '../../engine/plan/plan-reports.ts';
import { notification, request } from '../rpc/message.ts';

/** How far the reading of the data of a preview is, and what became of the rows so far. */
export interface PreviewState {
  /** Of the data, 0 to 1. */
  readonly share: number;
  readonly isReading: boolean;
  readonly report: DatasetReport;
  /** Of an epoch over all rows that are used; null until all were read. */
  readonly padding: PaddingReport | null;
  /** Held-out rows that are learned as well; null until all were read. */
  readonly shared: IssueList | null;
  /** Why a run would be refused for its rows, as a sentence for people; null if for nothing. */
  readonly problem: string | null;
  /** Sentences about what is not shown, and how sets are mixed. */
  readonly notes: readonly string[];
  /** What is searched for, how many rows hold it so far, and the share of rows that was searched. */
  readonly search: { readonly text: string; readonly found: number; readonly share: number } | null;
}

/** Some rows as training sees them. */
export interface PreviewPage {
  /** How many rows come before the first of these. */
  readonly start: number;
  readonly examples: readonly ExamplePreview[];
}

/** Chosen by the client: names a preview in all messages about it. */
const preview = z.object({ id: z.string() });

/**
 * Client → server: read the data of a configuration, as it is on disk, for a preview, in a process
 * that ends with {@link closePreview}. {@link previewNews} tells how far it is, from the first rows
 * on. Answered when all is read or the request was cancelled (`$/cancelRequest`); the rows that were
 * read can be looked at all the same.
 */
export const readPreview = request<null>()(
  'lorafa/preview/read',
  z.extend(preview, { configFile: z.string().check(z.minLength(1)) }),
);

/** Server → client: how far the reading is, or the search. */
export const previewNews = notification(
  'lorafa/preview/news',
  z.extend(preview, { state: z.custom<PreviewState>() }),
);

/** Client → server: rows of a preview; while something is searched for, those that hold it. */
export const getPreviewRows = request<PreviewPage>()(
  'lorafa/preview/rows',
  z.extend(preview, {
    start: z.int().check(z.nonnegative()),
    count: z.int().check(z.gte(1), z.lte(100)),
  }),
);

/** Client → server: search the rows of a preview; an empty text shows all again. */
export const searchPreview = request<null>()(
  'lorafa/preview/search',
  z.extend(preview, { text: z.string() }),
);

/** Client → server: nobody looks at a preview any more, and its process ends. */
export const closePreview = request<null>()('lorafa/preview/close', preview);

/** The beginning of a data file, and what could be learned from its rows. */
export interface DataSample {
  /** Rows of the file, perhaps inferred from its beginning. */
  readonly count: number;
  readonly columns: readonly string[];
  /** Values of the first rows by column, as texts. */
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** How rows are read if nothing is said about columns; null where that cannot be told. */
  readonly recognised: string | null;
  /** What is probably to be learned; null where no column holds text. */
  readonly guess: ColumnMapping | null;
}

/** Client → server: the columns and first rows of a data file. */
export const sampleData = request<DataSample>()(
  'lorafa/data/sample',
  z.object({ file: z.string().check(z.minLength(1)) }),
);

/** Client → server: the columns of the data that a configuration names, as its text is now. */
export const listColumns = request<readonly string[]>()(
  'lorafa/data/columns',
  z.object({ configFile: z.string().check(z.minLength(1)), text: z.string() }),
);
