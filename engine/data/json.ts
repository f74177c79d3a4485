import { FileTooLarge, readBoundedFile } from '../bounded-file.ts';
import { messageOf } from '../errors.ts';
import { parseJson } from '../json.ts';
import { openBytes, withoutByteOrderMark } from './bytes.ts';
import { compressionOf } from './compression.ts';
import { cannotRead, corruptFile } from './file-problem.ts';
import { readJsonl } from './jsonl.ts';
import { decodeUtf8 } from './lines.ts';
import { type BadRow, type Row, rowOfJson } from './row.ts';

/** What fits into one string, with room to spare. */
const MAX_BYTES = 2 ** 28;

/**
 * JSON: an array of objects, one object, or (as Hugging Face Datasets also reads them) JSON Lines
 * under the name `.json`.
 *
 * @throws LorafaError `data.not_found` when the file cannot be read, `data.corrupt` when it is
 * no JSON, not valid UTF-8 or too large to be read whole.
 */
export async function* readJson(file: string): AsyncGenerator<Row | BadRow> {
  const bytes = withoutByteOrderMark(await readWhole(file));
  const text = decodeUtf8(bytes);
  if (text === undefined) throw corruptFile(file, 'it is not valid UTF-8; save it as UTF-8');
  if (text.trim() === '') return;
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!isJsonLines(text)) throw corruptFile(file, `it ${messageOf(error)}`);
    yield* readJsonl(file);
    return;
  }
  const rows = Array.isArray(value) ? value : [value];
  for (const [index, row] of rows.entries()) {
    yield rowOfJson(row, { file, line: index + 1, progress: (index + 1) / rows.length });
  }
}

async function readWhole(file: string): Promise<Uint8Array> {
  try {
    return compressionOf(file) === undefined
      ? await readBoundedFile(file, MAX_BYTES)
      : await unpackWhole(file);
  } catch (error) {
    if (!(error instanceof FileTooLarge)) throw cannotRead(file, error);
    throw corruptFile(
      file,
      `a .json file is read whole, and ${messageOf(error)}; save it as .jsonl, one object per line`,
    );
  }
}

async function unpackWhole(file: string): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let size = 0;
  const { chunks } = await openBytes(file);
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new FileTooLarge(size, MAX_BYTES);
    pieces.push(chunk);
  }
  return Buffer.concat(pieces);
}

/** Whether the first line alone is an object, so that the lines are rows and not one document. */
function isJsonLines(text: string): boolean {
  try {
    const first = parseJson(text.trimStart().split('\n', 1)[0]!);
    return typeof first === 'object' && first !== null && !Array.isArray(first);
  } catch {
    return false;
  }
}
