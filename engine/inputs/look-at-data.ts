import path from 'node:path';
import { parse } from 'jsonc-parser';
import { arrowStart } from '../data/arrow/arrow-file.ts';
import { compressionOf, unpacked, withoutCompression } from '../data/compression.ts';
import { countRows, type RowCount } from '../data/count-rows.ts';
import { corruptFile } from '../data/file-problem.ts';
import { parquetStart } from '../data/parquet/parquet-start.ts';
import { isRow, type Row } from '../data/row.ts';
import { readRows } from '../data/rows.ts';
import { LorafaError, messageOf } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { ensureFolder } from '../files/folders.ts';
import { lookingSession, type Patience } from '../hub/connect.ts';
import { fetchRange, type RemotePart } from '../hub/fetch-range.ts';
import { HubError, type HubSubject } from '../hub/hub-error.ts';
import type { HubName } from '../hub/hub-name.ts';
import { fileUrl, subjectOf } from '../hub/repository.ts';
import { chooseFiles, type HubSession } from '../hub/snapshot.ts';
import { orInParquet, requestFor } from './hub-inputs.ts';

/** The beginning of data that are elsewhere. */
export interface DataLook {
  /** Of all files that a run would read, inferred from the beginning of the first one. */
  readonly count: RowCount;
  /** The first rows that can be read. */
  readonly rows: readonly Row[];
}

/** How much of a text file is fetched: more each time, until some rows are whole. */
const PART_BYTES = [2 ** 18, 2 ** 21, 2 ** 24];

/** What is unpacked of a compressed file, and how much of it is given at a time. */
const MAX_UNPACKED_BYTES = 2 ** 24;
const PACKED_BYTES = 2 ** 14;

/** Parquet comes in groups of rows, the first of which is fetched whole, up to so many bytes. */
const MAX_GROUP_BYTES = 2 ** 26;

/** What is fetched of a Parquet file at a time. */
const STEP_BYTES = 2 ** 20;

/**
 * Looks at the rows that a run would learn from under a name of the Hub, fetching no more than the
 * beginning of the first file.
 *
 * @param rows how many are wanted
 * @throws HubError; LorafaError as `readRows`
 */
export async function lookAtData(
  hub: HubName,
  rows: number,
  patience: Patience = {},
): Promise<DataLook> {
  const session = await lookingSession(patience);
  const { connection, settings } = session;
  const request = requestFor(hub, 'training');
  const { repository } = request;
  const { found: chosen } = await orInParquet(request, (each) => chooseFiles(each, session));
  const { commit, files } = chosen;
  const file = files[0]!;
  const part = {
    file,
    url: fileUrl(repository, commit, file.path, settings.endpoint),
    subject: subjectOf(repository, commit, connection),
  };
  const look = file.path.endsWith('.parquet') ? lookAtGroups : lookAtStart;
  const { count, rows: found } = await look(part, rows, session);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const isExact = count.isExact && files.length === 1;
  const share = file.size === 0 ? 1 : total / file.size;
  return { rows: found, count: { rows: Math.round(count.rows * share), isExact } };
}

/** The first group of rows of a Parquet file. */
async function lookAtGroups(
  part: RemotePart,
  wanted: number,
  { connection }: HubSession,
): Promise<DataLook> {
  const { file, subject } = part;
  const fetched: { readonly start: number; readonly bytes: Buffer<ArrayBuffer> }[] = [];
  let size = 0;
  const read = async (start: number, end: number): Promise<Uint8Array<ArrayBuffer>> => {
    const isIn = ({ start: first, bytes }: { start: number; bytes: Buffer }): boolean =>
      first <= start && end <= first + bytes.length;
    let found = fetched.find(isIn);
    if (found === undefined) {
      // Columns follow each other; the footer is read from the end.
      const isEnd = end === file.size;
      const from = isEnd ? Math.max(0, Math.min(start, end - STEP_BYTES)) : start;
      const to = isEnd ? end : Math.min(file.size, Math.max(end, start + STEP_BYTES));
      size += to - from;
      if (size > MAX_GROUP_BYTES) {
        throw tooLarge(subject, MAX_GROUP_BYTES);
      }
      found = { start: from, bytes: await fetchRange(part, connection, from, to) };
      fetched.push(found);
    }
    // The reader wants buffers of its own.
    return Uint8Array.from(found.bytes.subarray(start - found.start, end - found.start));
  };
  const { rows, count } = await parquetStart(file.path, file.size, wanted, read);
  return { rows, count: { rows: count, isExact: true } };
}

/** The first lines of a text file, elements of a list, or batches of an Arrow file. */
async function lookAtStart(
  part: RemotePart,
  wanted: number,
  { connection, settings }: HubSession,
): Promise<DataLook> {
  const { file, subject } = part;
  let bytes = Buffer.alloc(0);
  for (const [index, end] of PART_BYTES.entries()) {
    bytes = Buffer.concat([bytes, await fetchRange(part, connection, bytes.length, end)]);
    const isLast = bytes.length === file.size || index === PART_BYTES.length - 1;
    const { isWhole, share, ...beginning } = await beginningOf(file, bytes);
    if (beginning.text.length === 0 && !isLast) continue;
    const place = await store(beginning, file.digest, settings.cacheFolder);
    const rows: Row[] = [];
    for await (const row of readRows([`${place}[:${wanted}]`])) if (isRow(row)) rows.push(row);
    if (rows.length < wanted && !isLast) continue;
    if (rows.length === 0 && !isWhole) throw tooLarge(subject, bytes.length);
    const counted = await countRows(place);
    return { rows, count: { rows: Math.round(counted.rows / share), isExact: isWhole } };
  }
  throw new LorafaError('data.empty', `There is not a single row in ${file.path}.`);
}

function tooLarge({ title }: HubSubject, bytes: number): HubError {
  return new HubError(
    'hub.no_files',
    `The first rows of ${title} come in one piece of more than ${bytes / 2 ** 20} MiB, too large to be looked at; name its columns in the configuration yourself, or take another data set.`,
  );
}

/** Rows as a file of their own. */
interface Beginning {
  readonly extension: string;
  readonly text: string | Uint8Array;
}

/** The whole rows in the first bytes of a file, unpacked. */
async function beginningOf(
  { path: name, size }: RemotePart['file'],
  bytes: Buffer,
): Promise<Beginning & { readonly isWhole: boolean; readonly share: number }> {
  const extension = path.extname(withoutCompression(name)).toLowerCase();
  const { content, taken, isCut } = await unpackedStart(name, bytes, size);
  const isWhole = bytes.length === size && !isCut;
  const share = isWhole ? 1 : taken / size;
  try {
    const beginning = isWhole ? { extension, text: content } : wholeRows(content, extension);
    return { ...beginning, isWhole, share };
  } catch (error) {
    throw corruptFile(name, messageOf(error));
  }
}

/** The first bytes of a file as they are unpacked, from how many that is, and whether there are more of these. */
async function unpackedStart(
  name: string,
  bytes: Buffer,
  size: number,
): Promise<{ readonly content: Buffer; readonly taken: number; readonly isCut: boolean }> {
  const compression = compressionOf(name);
  if (compression === undefined) return { content: bytes, taken: bytes.length, isCut: false };
  let taken = 0;
  async function* packed(): AsyncGenerator<Buffer> {
    for (; taken < bytes.length; taken += PACKED_BYTES) {
      yield bytes.subarray(taken, taken + PACKED_BYTES);
    }
  }
  const pieces: Buffer[] = [];
  let unpackedBytes = 0;
  try {
    for await (const piece of unpacked(name, compression, packed())) {
      pieces.push(piece);
      unpackedBytes += piece.length;
      if (unpackedBytes > MAX_UNPACKED_BYTES) break;
    }
  } catch (error) {
    // What is cut off by us ends early, and that is all that is wrong with it.
    if (bytes.length === size || unpackedBytes === 0) throw error;
  }
  const isCut = unpackedBytes > MAX_UNPACKED_BYTES;
  return { content: Buffer.concat(pieces), taken: Math.min(taken, bytes.length), isCut };
}

async function store(
  { extension, text }: Beginning,
  digest: string,
  folder: string,
): Promise<string> {
  const place = path.join(folder, 'data', `${digest}${extension}`);
  await ensureFolder(path.dirname(place));
  await writeFileAtomic(place, text);
  return place;
}

/** What of the beginning of a file are whole rows. */
function wholeRows(bytes: Buffer, extension: string): Beginning {
  if (extension === '.arrow') return { extension, text: arrowStart(bytes) };
  if (extension === '.csv' || extension === '.tsv') {
    return { extension, text: bytes.subarray(0, endOfRecords(bytes)) };
  }
  const lines = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
  if (extension !== '.json') return { extension, text: lines };
  if (!/^\uFEFF?\s*\[/.test(bytes.toString('utf8', 0, 1000))) {
    return { extension: '.jsonl', text: lines };
  }
  return { extension, text: JSON.stringify(wholeElements(bytes)) };
}

/** What of the beginning of a list are whole elements. */
function wholeElements(bytes: Buffer): readonly unknown[] {
  try {
    // What is cut off is the last one, of which this parser makes what it can.
    const list: unknown = parse(bytes.toString('utf8').replace(/^\uFEFF/, ''));
    return Array.isArray(list) ? list.slice(0, -1) : [];
  } catch (error) {
    // Nested so deeply that nobody could learn from it.
    if (error instanceof RangeError) return [];
    throw error;
  }
}

/** The last line break outside of quotes. */
function endOfRecords(bytes: Buffer): number {
  let end = 0;
  let isQuoted = false;
  for (const [index, byte] of bytes.entries()) {
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (byte === NEWLINE && !isQuoted) end = index + 1;
  }
  return end;
}

const QUOTE = 0x22;
const NEWLINE = 0x0a;
