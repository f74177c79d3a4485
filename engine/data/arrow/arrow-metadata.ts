/** What a message of an Arrow file or stream holds. */
export type ArrowMessageKind = 'schema' | 'dictionary' | 'batch' | 'other';

/** What is said in front of a message about it. Source: `Message.fbs` and `Schema.fbs` of Apache Arrow. */
export interface ArrowMetadata {
  readonly kind: ArrowMessageKind;
  /** Bytes after the metadata. */
  readonly bodyLength: number;
  /** Rows of a record batch; 0 for other messages. */
  readonly rows: number;
}

/** Columns of a file, those inside of others included. */
const MAX_FIELDS = 10_000;

/** Levels of columns inside of others. */
const MAX_DEPTH = 64;

/** Rows of a record batch; writers make thousands. */
const MAX_ROWS = 2 ** 24;

const KINDS: Readonly<Record<number, ArrowMessageKind>> = {
  1: 'schema',
  2: 'dictionary',
  3: 'batch',
};

/** Of a record batch: how its buffers are compressed. */
const COMPRESSION = 3;

/** No column becomes so much smaller. */
const MAX_RATIO = 2000;

/** Type of a column that is one of several; the only type with a vector of its own. */
const UNION = 14;

/**
 * Reads what is needed of a message's metadata and walks the rest, for the library that decodes it
 * believes every count in it.
 *
 * @throws Error for what cannot be metadata
 */
export function readMetadata(bytes: Uint8Array): ArrowMetadata {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const message = Table.at(view, 0);
    const kind = KINDS[message.byte(1)] ?? 'other';
    const header = message.table(2);
    const bodyLength = message.long(3);
    if (header === undefined) throw new Error('a message is empty');
    return { kind, bodyLength, rows: walk(kind, header, bodyLength) };
  } catch (error) {
    if (error instanceof RangeError) throw new Error('its metadata are broken', { cause: error });
    throw error;
  }
}

/** @returns rows of a record batch */
function walk(kind: ArrowMessageKind, header: Table, bodyLength: number): number {
  switch (kind) {
    case 'schema':
      if (header.short(0) !== 0) throw new Error('its numbers are big-endian, which is not read');
      walkFields(header.tables(1), 0, { left: MAX_FIELDS });
      header.tables(2);
      return 0;
    case 'dictionary': {
      const data = header.table(1);
      if (data !== undefined) walkDictionary(data, bodyLength);
      return 0;
    }
    case 'batch':
      return walkBatch(header);
    case 'other':
      throw new Error('it holds a message that is no table');
  }
}

function walkBatch(batch: Table): number {
  batch.vector(1, 16);
  const buffers = batch.vector(2, 16).length;
  // How many of the buffers each column of views has.
  if (batch.longs(4).some((count) => count > buffers))
    throw new Error('it says impossible lengths');
  const rows = batch.long(0);
  if (rows > MAX_ROWS) {
    throw new Error(`a record batch has ${rows} rows, more than the ${MAX_ROWS} it may have`);
  }
  return rows;
}

/** The values of a dictionary are all read before any of them is needed: each has a bit of the body at least. */
function walkDictionary(batch: Table, bodyLength: number): void {
  const isCompressed = batch.table(COMPRESSION) !== undefined;
  const bits = 8 * bodyLength * (isCompressed ? MAX_RATIO : 1);
  // Of each column its length, and how many of its values are null.
  const lengths = batch.longs(1, 2).filter((_, index) => index % 2 === 0);
  if (Math.max(walkBatch(batch), ...lengths) > bits) {
    throw new Error('a dictionary has more values than bytes for them');
  }
}

function walkFields(fields: readonly Table[], depth: number, budget: { left: number }): void {
  budget.left -= fields.length;
  if (depth > MAX_DEPTH || budget.left < 0) throw new Error('it has too many columns');
  for (const field of fields) {
    if (field.byte(2) === UNION) field.table(3)?.vector(1, 4);
    field.tables(6);
    walkFields(field.tables(5), depth + 1, budget);
  }
}

/** A table of a flatbuffer; its fields are numbered as in the schema. Reading outside throws RangeError. */
class Table {
  readonly #view: DataView;
  readonly #position: number;

  private constructor(view: DataView, position: number) {
    this.#view = view;
    this.#position = position;
  }

  /** The table that an offset points to. */
  static at(view: DataView, offset: number): Table {
    return new Table(view, offset + view.getUint32(offset, true));
  }

  byte(field: number): number {
    const at = this.#at(field);
    return at === undefined ? 0 : this.#view.getUint8(at);
  }

  short(field: number): number {
    const at = this.#at(field);
    return at === undefined ? 0 : this.#view.getInt16(at, true);
  }

  /** @throws Error for a number that is negative or no safe integer */
  long(field: number): number {
    const at = this.#at(field);
    return at === undefined ? 0 : this.#longAt(at);
  }

  /** The numbers of a vector, of which each item has some. @throws as {@link long} */
  longs(field: number, each = 1): readonly number[] {
    const { start, length } = this.vector(field, 8 * each);
    return Array.from({ length: each * length }, (_, index) => this.#longAt(start + index * 8));
  }

  table(field: number): Table | undefined {
    const at = this.#at(field);
    return at === undefined ? undefined : Table.at(this.#view, at);
  }

  /** The tables of a vector. */
  tables(field: number): readonly Table[] {
    const { start, length } = this.vector(field, 4);
    return Array.from({ length }, (_, index) => Table.at(this.#view, start + index * 4));
  }

  /** Where a vector of items of `stride` bytes is. @throws RangeError where it is not all there */
  vector(field: number, stride: number): { readonly start: number; readonly length: number } {
    const at = this.#at(field);
    if (at === undefined) return { start: 0, length: 0 };
    const start = at + this.#view.getUint32(at, true);
    const length = this.#view.getUint32(start, true);
    if (start + 4 + length * stride > this.#view.byteLength) throw new RangeError('vector');
    return { start: start + 4, length };
  }

  #longAt(position: number): number {
    const value = Number(this.#view.getBigInt64(position, true));
    if (!Number.isSafeInteger(value) || value < 0) throw new Error('it says impossible lengths');
    return value;
  }

  #at(field: number): number | undefined {
    const table = this.#position - this.#view.getInt32(this.#position, true);
    const entry = 4 + field * 2;
    if (entry >= this.#view.getUint16(table, true)) return undefined;
    const offset = this.#view.getUint16(table + entry, true);
    return offset === 0 ? undefined : this.#position + offset;
  }
}
