import type { Compressors } from 'hyparquet';
import type { ColumnChunk } from './parquet-footer.ts';
import { checkDeltas, checkRuns } from './parquet-runs.ts';
import { ThriftReader, type ThriftStruct } from './thrift.ts';

/*
 * The library takes what pages say of themselves for true: it fills memory with a run that claims a
 * billion values, and never comes back from others. So every page is walked through before.
 */

/** Bytes of a page; the longest are made by writers that put all of a group into one. */
const MAX_PAGE_BYTES = 2 ** 30;

/** Bytes of texts that are told by how they differ from the one before. */
const MAX_SHARED_BYTES = 2 ** 28;

/** Values of the pages of one column in a group. */
const MAX_VALUES = 2 ** 26;

const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;
const DATA_PAGE_V2 = 3;

/** Encodings of values, by Parquet's numbers. */
const PLAIN = 0;
const PLAIN_DICTIONARY = 2;
const RLE = 3;
const DELTA_BINARY_PACKED = 5;
const DELTA_LENGTH_BYTE_ARRAY = 6;
const DELTA_BYTE_ARRAY = 7;
const RLE_DICTIONARY = 8;
const BYTE_STREAM_SPLIT = 9;

/**
 * Makes sure that the pages of a column in one group of rows hold as many values as they say.
 *
 * @param bytes those of the chunk
 * @param rows rows of the group
 * @throws Error whose message is about the file, "it"
 */
export function checkPages(
  bytes: Uint8Array,
  chunk: ColumnChunk,
  rows: number,
  compressors: Compressors,
): void {
  const pages = new ColumnPages(chunk, compressors);
  const reader = new ThriftReader(bytes);
  while (reader.offset < bytes.length - 1) {
    const header = reader.readStruct();
    const size = numberIn(header, 3);
    const body = bytes.subarray(reader.offset, reader.offset + size);
    if (size < 0 || body.length < size) throw new Error('a page of it ends early');
    pages.check(header, body);
    reader.offset += size;
  }
  const { maxRepetitionLevel } = chunk.leaf;
  const name = chunk.meta.path_in_schema.join('.');
  if (pages.rows !== rows || (maxRepetitionLevel === 0 && pages.values !== rows)) {
    throw new Error(`its column "${name}" has ${pages.rows} values for ${rows} rows`);
  }
}

class ColumnPages {
  readonly #chunk: ColumnChunk;
  readonly #compressors: Compressors;
  values = 0;
  rows = 0;

  constructor(chunk: ColumnChunk, compressors: Compressors) {
    this.#chunk = chunk;
    this.#compressors = compressors;
  }

  check(header: ThriftStruct, body: Uint8Array): void {
    const size = numberIn(header, 2);
    if (size < 0 || size > MAX_PAGE_BYTES) throw new Error('a page of it is impossibly large');
    switch (numberIn(header, 1)) {
      case DICTIONARY_PAGE: {
        const values = numberIn(structIn(header, 7), 1);
        this.#checkPlain(this.#decompress(body, size), values);
        return;
      }
      case DATA_PAGE:
        this.#checkDataPage(structIn(header, 5), this.#decompress(body, size));
        return;
      case DATA_PAGE_V2:
        this.#checkDataPageV2(structIn(header, 8), body, size);
        return;
      default:
        throw new Error('it has pages of a kind that is not known');
    }
  }

  /** Levels with their lengths before them, then the values, all compressed as one. */
  #checkDataPage(header: ThriftStruct, page: Uint8Array): void {
    const { maxRepetitionLevel, maxDefinitionLevel } = this.#chunk.leaf;
    const values = this.#add(numberIn(header, 1));
    let rest = page;
    const takeLevels = (maxLevel: number): Uint8Array => {
      if (rest.length < 4) throw new Error('a page of it ends early');
      const length = new DataView(rest.buffer, rest.byteOffset).getUint32(0, true);
      const levels = rest.subarray(4, 4 + length);
      if (maxLevel > 0 && levels.length < length) throw new Error('a page of it ends early');
      rest = rest.subarray(4 + length);
      return levels;
    };
    this.#countRows(maxRepetitionLevel > 0 ? takeLevels(maxRepetitionLevel) : undefined, values);
    const present =
      maxDefinitionLevel > 0
        ? countLevel(takeLevels(maxDefinitionLevel), maxDefinitionLevel, values)
        : values;
    this.#checkValues(rest, present, numberIn(header, 2));
  }

  /** Levels as they are, then the values, which alone are compressed. */
  #checkDataPageV2(header: ThriftStruct, body: Uint8Array, size: number): void {
    const { maxRepetitionLevel, maxDefinitionLevel } = this.#chunk.leaf;
    const values = this.#add(numberIn(header, 1));
    const nulls = numberIn(header, 2);
    const definitionBytes = numberIn(header, 5);
    const repetitionBytes = numberIn(header, 6);
    const levelBytes = definitionBytes + repetitionBytes;
    if (definitionBytes < 0 || repetitionBytes < 0 || levelBytes > Math.min(size, body.length)) {
      throw new Error('a page of it ends early');
    }
    const repetition = body.subarray(0, repetitionBytes);
    this.#countRows(maxRepetitionLevel > 0 ? repetition : undefined, values);
    const present =
      maxDefinitionLevel > 0
        ? countLevel(body.subarray(repetitionBytes, levelBytes), maxDefinitionLevel, values)
        : values;
    if (present !== values - nulls) throw new Error('a page of it has other values than it says');
    const isCompressed = header.get(7) !== 0;
    const packed = body.subarray(levelBytes);
    const page = isCompressed ? this.#decompress(packed, size - levelBytes) : packed;
    this.#checkValues(page, present, numberIn(header, 4));
  }

  #add(values: number): number {
    this.values += values;
    if (values < 0 || this.values > MAX_VALUES)
      throw new Error(`a page of it claims ${values} values`);
    return values;
  }

  #countRows(repetitionLevels: Uint8Array | undefined, values: number): void {
    this.rows +=
      repetitionLevels === undefined
        ? values
        : countLevel(repetitionLevels, 0, values, this.#chunk.leaf.maxRepetitionLevel);
  }

  #decompress(bytes: Uint8Array, size: number): Uint8Array {
    const { codec } = this.#chunk.meta;
    const decompress = this.#compressors[codec];
    const page = codec === 'UNCOMPRESSED' ? bytes : decompress?.(bytes, size);
    if (page === undefined) throw new Error(`its compression ${codec} is not known`);
    if (page.length !== size) throw new Error('a page of it has another size than it says');
    return page;
  }

  #checkValues(bytes: Uint8Array, values: number, encoding: number): void {
    const { type } = this.#chunk.leaf.element;
    switch (encoding) {
      case PLAIN:
      case BYTE_STREAM_SPLIT:
        this.#checkPlain(bytes, values);
        return;
      case RLE:
        // Booleans, with the length before them.
        checkRuns(bytes.subarray(4), 1, values);
        return;
      case PLAIN_DICTIONARY:
      case RLE_DICTIONARY:
        if (bytes[0] === undefined && values > 0) throw new Error('a page of it ends early');
        // No bits: every value is the first of the dictionary, and nothing need follow.
        if (bytes.length === 1) return;
        checkRuns(bytes.subarray(1), bytes[0] ?? 0, values);
        return;
      case DELTA_BINARY_PACKED:
        if (type !== 'INT32' && type !== 'INT64') throw new Error('its numbers are none');
        checkDeltas(bytes, values);
        return;
      case DELTA_LENGTH_BYTE_ARRAY:
        checkDeltas(bytes, values);
        return;
      case DELTA_BYTE_ARRAY:
        checkSharedBytes(bytes, values);
        return;
      default:
        throw new Error(`its encoding ${encoding} is not known`);
    }
  }

  #checkPlain(bytes: Uint8Array, values: number): void {
    const { type, type_length } = this.#chunk.leaf.element;
    const bits = {
      BOOLEAN: 1,
      INT32: 32,
      FLOAT: 32,
      INT64: 64,
      DOUBLE: 64,
      INT96: 96,
      BYTE_ARRAY: 32,
      FIXED_LEN_BYTE_ARRAY: 8 * Math.max(0, type_length ?? 0),
    }[type!];
    if (values < 0 || bits === 0 || values * bits > 8 * bytes.length) {
      throw new Error('a page of it has fewer values than it says');
    }
  }
}

/** Each text begins as the one before does: so few bytes can stand for very many. */
function checkSharedBytes(bytes: Uint8Array, values: number): void {
  let total = 0;
  const add = (length: number): void => {
    total += Math.abs(length);
  };
  const prefixes = checkDeltas(bytes, values, add);
  checkDeltas(bytes.subarray(prefixes), values, add);
  if (total > MAX_SHARED_BYTES) throw new Error('a page of it stands for impossibly many bytes');
}

/** How many of the levels are `wanted`. */
function countLevel(bytes: Uint8Array, wanted: number, count: number, maxLevel = wanted): number {
  let found = 0;
  checkRuns(bytes, 32 - Math.clz32(maxLevel), count, (level, length) => {
    if (level === wanted) found += length;
  });
  return found;
}

function numberIn(struct: ThriftStruct, id: number): number {
  const value = struct.get(id);
  if (typeof value === 'number') return value;
  throw new Error('a header of it lacks a number');
}

function structIn(struct: ThriftStruct, id: number): ThriftStruct {
  const value = struct.get(id);
  if (value instanceof Map) return value;
  throw new Error('a header of it lacks a part');
}
