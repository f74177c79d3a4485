import { type Batch, Type, tableFromIPC } from '@uwdata/flechette';
import { decodeUtf8 } from '../lines.ts';
import { withCodecs } from './arrow-codecs.ts';

/** A column of a record batch. */
interface BatchColumn {
  readonly name: string;
  readonly batch: Batch<unknown>;
}

/** A record batch: its columns, each of which has a value for every row. */
export interface ArrowBatch {
  readonly rows: number;
  readonly columns: readonly BatchColumn[];
}

/**
 * Decodes a record batch.
 *
 * @param messages the schema, dictionaries, and last the record batch
 * @param rows of it
 * @throws Error where it does not hold what it says
 */
export function decodeBatch(messages: readonly Uint8Array[], rows: number): ArrowBatch {
  const table = withCodecs(() => tableFromIPC([...messages], { useBigInt: true }));
  const names = table.names.map(String);
  if (new Set(names).size < names.length) throw new Error('its schema names a column twice');
  const columns = table.children.flatMap((column, index) => {
    const batch = column.data[0] as Batch<unknown> | undefined;
    if (batch === undefined) throw new Error('a column is missing');
    return isReadable(batch) ? [{ name: names[index]!, batch }] : [];
  });
  for (const { batch } of columns) requireValues(batch, rows);
  return { rows, columns };
}

/** The values of a row by the names of their columns. */
export function rowOfBatch(
  { columns }: ArrowBatch,
  row: number,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(columns.map(({ name, batch }) => [name, batch.at(row)]));
}

/** Types of which nobody learns; their columns are left out. */
const UNREADABLE: ReadonlySet<number> = new Set([
  Type.Union,
  Type.Interval,
  Type.RunEndEncoded,
  Type.ListView,
  Type.LargeListView,
]);

function isReadable(batch: Batch<unknown>): boolean {
  return (
    !UNREADABLE.has(batch.type.typeId) &&
    (batch.children ?? []).every((child) => isReadable(child as Batch<unknown>))
  );
}

/** Bytes that hold so many bits. */
const bytesOf = (bits: number): number => Math.ceil(bits / 8);

/** Makes sure that the arrays of a column hold `rows` values: the library reads what is behind them as well. */
function requireValues(batch: Batch<unknown>, rows: number): void {
  const { type, validity, nullCount } = batch;
  require(batch.length >= rows);
  require(!nullCount || validity === undefined || validity.length >= bytesOf(rows));
  const children = (batch.children ?? []) as readonly Batch<unknown>[];
  const { values } = batch;
  const count = values?.length ?? 0;
  switch (type.typeId) {
    case Type.Null:
      break;
    case Type.Bool:
      require(count >= bytesOf(rows));
      break;
    case Type.Utf8:
    case Type.LargeUtf8:
      require(requireOffsets(batch, rows) <= count);
      requireText(batch, rows);
      break;
    case Type.Binary:
    case Type.LargeBinary:
      require(requireOffsets(batch, rows) <= count);
      break;
    case Type.Utf8View:
    case Type.BinaryView:
      requireViews(batch, rows, type.typeId === Type.Utf8View);
      break;
    case Type.List:
    case Type.LargeList:
    case Type.Map:
      requireValues(children[0]!, requireOffsets(batch, rows));
      break;
    case Type.FixedSizeList:
      requireValues(children[0]!, rows * strideOf(batch));
      break;
    case Type.FixedSizeBinary:
      require(count >= rows * strideOf(batch));
      break;
    case Type.Struct:
      for (const child of children) requireValues(child, rows);
      break;
    case Type.Dictionary:
      requireKeys(batch, rows);
      break;
    case Type.Decimal:
      require((values?.byteLength ?? 0) >= bytesOf(rows * (type as { bitWidth: number }).bitWidth));
      break;
    default:
      require(count >= rows);
  }
}

/** @returns the last offset */
function requireOffsets({ offsets }: Batch<unknown>, rows: number): number {
  if (rows === 0) return 0;
  require(offsets !== undefined && offsets.length > rows);
  let before = 0;
  for (let index = 0; index <= rows; index++) {
    const offset = Number(offsets![index]);
    require(offset >= before);
    before = offset;
  }
  return before;
}

function requireText({ values, offsets }: Batch<unknown>, rows: number): void {
  if (rows === 0) return;
  const bytes = values as Uint8Array;
  const [start, end] = [Number(offsets![0]), Number(offsets![rows])];
  let isText = decodeUtf8(bytes.subarray(start, end)) !== undefined;
  for (let index = 0; isText && index < rows; index++) {
    const offset = Number(offsets![index]);
    // No text begins in the middle of a character.
    isText = offset === end || (bytes[offset]! & 0xc0) !== 0x80;
  }
  if (!isText) throw new Error('a text is not valid UTF-8');
}

function requireViews(batch: Batch<unknown>, rows: number, isText: boolean): void {
  const { values, data } = batch as Batch<unknown> & { readonly data: readonly Uint8Array[] };
  const bytes = values as Uint8Array;
  require(bytes.length >= rows * 16);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let row = 0; row < rows; row++) {
    if (!batch.isValid(row) && batch.nullCount > 0) continue;
    const at = row * 16;
    const length = view.getInt32(at, true);
    const start = view.getInt32(at + 12, true);
    const source = length <= 12 ? bytes : data[view.getInt32(at + 8, true)];
    const from = length <= 12 ? at + 4 : start;
    require(length >= 0 && from >= 0 && source !== undefined && from + length <= source.length);
    if (isText && decodeUtf8(source!.subarray(from, from + length)) === undefined) {
      throw new Error('a text is not valid UTF-8');
    }
  }
}

function requireKeys(batch: Batch<unknown>, rows: number): void {
  const { values, dictionary } = batch as Batch<unknown> & {
    readonly dictionary?: { readonly length: number; readonly data: readonly Batch<unknown>[] };
  };
  require(dictionary !== undefined && (values?.length ?? 0) >= rows);
  for (const part of dictionary!.data) requireValues(part, part.length);
  for (let row = 0; row < rows; row++) {
    const key = Number(values![row]);
    require((key >= 0 && key < dictionary!.length) || !batch.isValid(row));
  }
}

function strideOf({ type }: Batch<unknown>): number {
  const { stride } = type as { readonly stride?: number };
  require(stride !== undefined && stride >= 0);
  return stride!;
}

function require(isTrue: boolean): void {
  if (!isTrue) throw new Error('a column does not hold what it says');
}
