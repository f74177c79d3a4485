import { codeOf, readBoundedFile } from './bounded-file.ts';
import { type ErrorCode, LorafaError, messageOf } from './errors.ts';
import { parseJson } from './json.ts';

/** A JSON object whose content has not been checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a parsed JSON value is an object, not null and not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Several times what the largest vocabulary takes in a `tokenizer.json`. */
const MAX_BYTES = 2 ** 28;

/**
 * Reads a file that holds one JSON object in UTF-8; null when the file does not exist.
 *
 * @param maxBytes larger files are refused unread
 * @throws LorafaError with the given code when it cannot be read or holds anything else.
 */
export async function readJsonFile(
  file: string,
  code: ErrorCode = 'model.corrupt',
  maxBytes = MAX_BYTES,
): Promise<JsonObject | null> {
  const fail = (cause: string, error?: unknown) =>
    new LorafaError(code, `${file} ${cause}; download or copy it again.`, {
      location: { file },
      ...(error === undefined ? {} : { cause: error }),
    });
  let bytes: Uint8Array;
  try {
    bytes = await readBoundedFile(file, maxBytes);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw fail(`cannot be read (${messageOf(error)})`, error);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw fail('is not valid UTF-8', error);
  }
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw fail(messageOf(error), error);
  }
  if (!isJsonObject(value)) throw fail('does not hold a JSON object');
  return value;
}
