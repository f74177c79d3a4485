import * as z from 'zod/mini';
import type { ConfigPath } from '../../engine/config/config-error.ts';
import type { OfferedDevice } from '../doctor/offered-device.ts';

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
  z.object({
    type: z.literal('browse'),
    path,
    kind: z.enum(['model', 'data', 'template', 'folder']),
  }),
  /** All that was typed before {@link SettleMessage} of this number is sent. */
  z.object({ type: z.literal('settled'), request: z.number() }),
  /** Do what a {@link FormFix} says. */
  z.object({ type: z.literal('fix'), fix: z.string() }),
  /** A button of the header. */
  z.object({
    type: z.literal('command'),
    command: z.enum([
      'startRun',
      'previewData',
      'estimateRun',
      'openAsText',
      'manageTrust',
      'setUpCuda',
    ]),
  }),
]);

/** From the page to the extension. */
export type PageMessage = z.infer<typeof pageMessageSchema>;

/** From the extension to the page. */
export type HostMessage =
  | StateMessage
  | SettleMessage
  | RevealMessage
  | ColumnsMessage
  | DevicesMessage;

/** Write at once what was typed, and say so: someone is about to use the document. */
export interface SettleMessage {
  readonly type: 'settle';
  readonly request: number;
}

/** Show a field. */
export interface RevealMessage {
  readonly type: 'reveal';
  readonly path: ConfigPath;
  /** Whether the cursor goes into it. */
  readonly takesFocus: boolean;
}

/** How the document is now. */
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

/** From the extension to the page: the devices of this machine; none while they are not known. */
export interface DevicesMessage {
  readonly type: 'devices';
  readonly devices: readonly OfferedDevice[];
}

/** A document as the form shows it. */
export interface FormState {
  /** What the text says; the last one that could be read while the syntax is broken. */
  readonly values: unknown;
  /** Where the syntax is broken, both counting from 1; null while it is not. */
  readonly syntaxError: { readonly line: number; readonly column: number } | null;
  readonly problems: readonly FormProblem[];
  /** In a folder that is not trusted nothing is checked and nothing started. */
  readonly isRestricted: boolean;
}

/** A diagnostic of the document. */
export interface FormProblem {
  /** The key or value that it stands at; empty for the whole document. */
  readonly path: ConfigPath;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  /** What can be done about it, the likeliest first. */
  readonly fixes: readonly FormFix[];
}

/** A quick fix. */
export interface FormFix {
  /** Names it in the answer of the page. */
  readonly id: string;
  readonly title: string;
}
