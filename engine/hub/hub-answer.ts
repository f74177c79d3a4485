import { z } from 'zod';
import { JsonError, parseJson } from '../json.ts';
import { badAnswer, type HubSubject } from './hub-error.ts';

/** Bytes of an answer about a repository; one of a thousand files has 300 KiB. */
const MAX_ANSWER_BYTES = 2 ** 26;

/** Bytes of an answer that says why something is refused. */
const MAX_WORDS_BYTES = 2 ** 16;

const errorSchema = z.object({ error: z.string(), message: z.string() }).partial();

/** An answer whose body is still to come. Either it is read, or it is discarded. */
export interface HubAnswer {
  readonly response: Response;
  /** The body, piece by piece. @throws HubError `hub.unreachable` when it breaks off, or nothing comes */
  readonly body: AsyncIterable<Uint8Array>;
  readonly discard: () => Promise<void>;
}

/** The text of an answer. @throws HubError `hub.bad_answer` for one without end */
export async function readText(
  body: AsyncIterable<Uint8Array>,
  subject: HubSubject,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.byteLength;
    if (size > MAX_ANSWER_BYTES) throw badAnswer(subject, 'it has no end');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** A value of an answer. @throws HubError `hub.bad_answer` */
export function parsedAnswer(text: string, subject: HubSubject): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) throw badAnswer(subject, `it ${error.message}`);
    throw error;
  }
}

/** What an answer that is no success says of the reason: in a header, or as the `error` of its body. */
export async function wordsOf(
  { response, body, discard }: HubAnswer,
  { isWritten }: HubSubject,
): Promise<string> {
  const header = response.headers.get('x-error-message');
  if (header !== null || !isWritten) {
    await discard();
    return header ?? '';
  }
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of body) {
      pieces.push(piece);
      size += piece.byteLength;
      if (size > MAX_WORDS_BYTES) return '';
    }
    const { data } = errorSchema.safeParse(parseJson(Buffer.concat(pieces).toString('utf8')));
    return data?.error ?? data?.message ?? '';
  } catch {
    // The status says enough.
    return '';
  }
}
