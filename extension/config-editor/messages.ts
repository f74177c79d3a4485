import * as z from 'zod/mini';
import type { ConfigPath } from '../../server/language/json-path.ts';

/** Everything that the page of the config editor says to the extension, and back. */

const path = z.array(z.union([z.string(), z.number()]));

/** Schema of {@link PageMessage}: what comes from the page is checked before it touches a file. */
export const pageMessageSchema = z.discriminatedUnion('type', [
  /** The page listens; it wants the state of the document. */
  z.object({ type: z.literal('ready') }),
  /** Write a value. Edits count from 1; the state says which was the last to be answered. */
  z.object({ type: z.literal('set'), edit: z.number(), path, value: z.unknown() }),
  /** Remove a key. */
  z.object({ type: z.literal('clear'), edit: z.number(), path }),
  /** Ask for a file or folder and write it. */
  z.object({ type: z.literal('browse'), path, kind: z.enum(['model', 'data', 'folder']) }),
  /** A button of the header. */
  z.object({
    type: z.literal('command'),
    command: z.enum(['startRun', 'previewData', 'estimateRun', 'openAsText']),
  }),
]);

/** From the page to the extension. */
export type PageMessage = z.infer<typeof pageMessageSchema>;

/** From the extension to the page: how the document is now. */
export interface StateMessage {
  readonly type: 'state';
  readonly state: FormState;
  /** The last edit of this page that the state contains, or that was refused; 0 before the first. */
  readonly answeredEdit: number;
}

/** From the extension to the page: the columns of the data that the document names. */
export interface ColumnsMessage {
  readonly type: 'columns';
  readonly columns: readonly string[];
}

/** A document as the form shows it. */
export interface FormState {
  /** What the text says; the last one that could be read while the syntax is broken. */
  readonly values: unknown;
  /** Where the syntax is broken, both counting from 1; null while it is not. */
  readonly syntaxError: { readonly line: number; readonly column: number } | null;
  readonly problems: readonly FormProblem[];
}

/** A diagnostic of the document. */
export interface FormProblem {
  /** The key or value that it stands at; empty for the whole document. */
  readonly path: ConfigPath;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
}
