import { type FileMetaData, parquetMetadata, type RowGroup, type SchemaElement } from 'hyparquet';
import { ThriftReader } from './thrift.ts';

/** Rows of one group; writers make groups of about a million. */
const MAX_GROUP_ROWS = 2 ** 24;

/** Columns that lie in each other: a list of structs of lists has seven. */
const MAX_SCHEMA_DEPTH = 32;

/** Bytes of a decimal number; writers use 16. */
const MAX_DECIMAL_BYTES = 64;

/** The end of every Parquet file: the length of the footer, and its name. */
const TAIL_BYTES = 8;

/** A column as the pages of its values need it. */
export interface ParquetLeaf {
  readonly element: SchemaElement;
  /** How many of the columns around it, itself included, may be missing or repeat. */
  readonly maxDefinitionLevel: number;
  readonly maxRepetitionLevel: number;
}

/** The bytes of a column's values in one group of rows. */
export interface ColumnChunk {
  readonly meta: NonNullable<RowGroup['columns'][number]['meta_data']>;
  readonly leaf: ParquetLeaf;
  readonly start: number;
  readonly end: number;
}

/** The footer of a file, checked: what it says fits together and into the file. */
export interface ParquetFooter {
  readonly metadata: FileMetaData;
  readonly groups: readonly {
    readonly rows: number;
    readonly chunks: readonly ColumnChunk[];
  }[];
}

/**
 * Reads the footer.
 *
 * @param size bytes of the file
 * @param read gives the bytes from one position to another
 * @throws Error whose message is about the file, "it"
 */
export async function readFooter(
  size: number,
  read: (start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<ParquetFooter> {
  const tail = size < TAIL_BYTES ? undefined : await read(size - TAIL_BYTES, size);
  if (tail === undefined || Buffer.from(tail).toString('latin1', 4) !== 'PAR1') {
    throw new Error('it does not end as a Parquet file does');
  }
  const length = new DataView(tail.buffer).getUint32(tail.byteOffset, true);
  if (length > size - TAIL_BYTES) throw new Error('its footer is longer than the file');
  const footer = await read(size - TAIL_BYTES - length, size);
  // The library believes whatever length a list claims.
  new ThriftReader(footer.subarray(0, length)).readStruct();
  const metadata = parquetMetadata(footer, { geoparquet: false });
  const leaves = leavesOf(metadata.schema);
  const groups = metadata.row_groups.map((group) => ({
    rows: rowsOf(group),
    chunks: chunksOf(group, leaves, size),
  }));
  const rows = groups.reduce((sum, group) => sum + group.rows, 0);
  if (rows !== Number(metadata.num_rows))
    throw new Error('its groups have other rows than it says');
  return { metadata, groups };
}

/** The columns that have values, by their paths. */
function leavesOf(schema: readonly SchemaElement[]): ReadonlyMap<string, ParquetLeaf> {
  const leaves = new Map<string, ParquetLeaf>();
  let next = 0;
  const visit = (path: readonly string[], definition: number, repetition: number): void => {
    const element = schema[next++];
    if (element === undefined) throw new Error('its schema ends early');
    if (path.length > MAX_SCHEMA_DEPTH) throw new Error('its schema is nested too deeply');
    refuseUnread(element);
    const isRoot = next === 1;
    const own = isRoot ? path : [...path, element.name];
    const maxDefinitionLevel =
      definition + Number(!isRoot && element.repetition_type !== 'REQUIRED');
    const maxRepetitionLevel = repetition + Number(element.repetition_type === 'REPEATED');
    const children = element.num_children ?? 0;
    if (children === 0 && !isRoot) {
      const key = JSON.stringify(own);
      if (element.type === undefined) throw new Error(`its column ${key} has no type`);
      leaves.set(key, { element, maxDefinitionLevel, maxRepetitionLevel });
    }
    const names = new Set<string>();
    for (let left = children; left > 0; left--) {
      const name = schema[next]?.name;
      if (name === undefined || names.has(name))
        throw new Error('its schema names no columns, or one twice');
      names.add(name);
      visit(own, maxDefinitionLevel, maxRepetitionLevel);
    }
  };
  visit([], 0, 0);
  if (next !== schema.length) throw new Error('its schema has parts that belong to no column');
  return leaves;
}

/** Types that the library reads in ways that never end for some bytes. */
function refuseUnread({
  name,
  type,
  type_length,
  converted_type,
  logical_type,
}: SchemaElement): void {
  const isDecimal = converted_type === 'DECIMAL' || logical_type?.type === 'DECIMAL';
  const isBytes = type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY';
  const length = type === 'BYTE_ARRAY' ? Number.POSITIVE_INFINITY : (type_length ?? 0);
  if (isDecimal && isBytes && length > MAX_DECIMAL_BYTES) {
    throw new Error(`its column "${name}" holds decimal numbers of any length, which are not read`);
  }
  if (logical_type?.type === 'VARIANT') {
    throw new Error(`its column "${name}" is of the type VARIANT, which is not read`);
  }
}

function rowsOf({ num_rows: rows }: RowGroup): number {
  if (rows >= 0n && rows <= BigInt(MAX_GROUP_ROWS)) return Number(rows);
  throw new Error(`a group of its rows claims to have ${rows}`);
}

function chunksOf(
  { columns }: RowGroup,
  leaves: ReadonlyMap<string, ParquetLeaf>,
  size: number,
): readonly ColumnChunk[] {
  const seen = new Set<string>();
  const chunks = columns.map(({ meta_data: meta, file_path }): ColumnChunk => {
    if (meta === undefined || file_path !== undefined) {
      throw new Error('the values of a column lie in another file');
    }
    const key = JSON.stringify(meta.path_in_schema);
    const leaf = leaves.get(key);
    if (leaf === undefined || leaf.element.type !== meta.type || seen.has(key)) {
      throw new Error(`its column ${key} does not fit its schema`);
    }
    seen.add(key);
    const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
    const end = start + Number(meta.total_compressed_size);
    if (!(start >= 0 && end >= start && end <= size)) {
      throw new Error(`its column ${key} lies outside of the file`);
    }
    return { meta, leaf, start, end };
  });
  if (seen.size !== leaves.size) throw new Error('a group of its rows lacks a column');
  return chunks;
}
