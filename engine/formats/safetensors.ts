import { realpath } from 'node:fs/promises';
import { visit } from 'jsonc-parser';
import { codeOf, type OpenedFile, openRegularFile } from '../bounded-file.ts';
import { type ErrorCode, LorafaError, messageOf } from '../errors.ts';
import { parseJson } from '../json.ts';
import { NotAPlainFile } from '../plain-file.ts';
import type { FileHead } from './file-head.ts';
import {
  BYTES_PER_ELEMENT,
  elementCount,
  formatShape,
  type TensorDtype,
  type TensorLocation,
} from './tensor-location.ts';

/*
 * Reader of the safetensors format: an 8-byte little-endian header length, a JSON header that maps
 * names to {dtype, shape, data_offsets}, and the data. Files come from strangers, so nothing in the
 * header is believed before it has been checked against the size of the file.
 */

/** Offset of the JSON header. */
const HEADER_START = 8;
/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;

/** The header of a safetensors file, checked; the data stays on disk. */
export interface SafetensorsFile {
  /** Path with symbolic links resolved. */
  readonly path: string;
  /** The free-form `__metadata__` strings. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Tensors by name, in the order of their data. */
  readonly tensors: ReadonlyMap<string, TensorLocation>;
}

/** The codes to report problems under: a base model's by default, or those of what the file is. */
export interface SafetensorsErrorCodes {
  readonly notFound: ErrorCode;
  readonly corrupt: ErrorCode;
}

const MODEL_CODES: SafetensorsErrorCodes = {
  notFound: 'model.not_found',
  corrupt: 'model.corrupt',
};

/**
 * Opens a safetensors file and checks its header: every tensor's bytes lie in the file, fit its
 * shape, and together they cover the data exactly once.
 *
 * @throws LorafaError `model.not_found` or `model.corrupt` (or the codes given), the latter with
 * the byte offset; `model.unsupported` for an element type that is not known.
 */
export async function openSafetensors(
  path: string,
  codes: SafetensorsErrorCodes = MODEL_CODES,
): Promise<SafetensorsFile> {
  let opened: OpenedFile;
  let file: string;
  try {
    file = await realpath(path);
    opened = await openRegularFile(file);
  } catch (error) {
    const code = error instanceof NotAPlainFile ? codes.corrupt : codes.notFound;
    throw new LorafaError(code, `Cannot open ${path}: ${reasonOf(error)}.`, {
      location: { file: path },
      cause: error,
    });
  }
  const { handle, size } = opened;
  try {
    return await new HeaderReader(path, file, codes.corrupt).read({
      size,
      read: async (start, length) => {
        const bytes = new Uint8Array(length);
        const { bytesRead } = await handle.read(bytes, 0, length, start);
        return bytes.subarray(0, bytesRead);
      },
    });
  } finally {
    await handle.close();
  }
}

/** Why a file cannot be opened, and the way out. */
function reasonOf(error: unknown): string {
  if (error instanceof NotAPlainFile) return `${error.message}; put the file itself there`;
  switch (codeOf(error)) {
    case 'ENOENT':
      return 'it does not exist; check the path';
    case 'EACCES':
      return 'permission is denied; change its permissions';
    default:
      return `${messageOf(error)}; check the file and its permissions`;
  }
}

/**
 * Checks the header of a file of which only that is here, as {@link openSafetensors} does. Its
 * tensors lie where the file would be, and cannot be read.
 *
 * @throws LorafaError as {@link openSafetensors}
 */
export function readSafetensorsHead(
  path: string,
  { bytes, size }: FileHead,
): Promise<SafetensorsFile> {
  return new HeaderReader(path, path, MODEL_CODES.corrupt).read({
    size,
    read: async (start, length) => bytes.subarray(start, start + length),
  });
}

/**
 * Bytes of a file before its data, as its first eight bytes say; undefined for what no header is as
 * long as.
 */
export function safetensorsHeadBytes(start: Uint8Array): number | undefined {
  if (start.length < HEADER_START) return undefined;
  const length = Buffer.from(start).readBigUInt64LE();
  return length > BigInt(MAX_HEADER_BYTES) ? undefined : HEADER_START + Number(length);
}

/** What a header is read from. */
interface HeaderSource {
  readonly size: number;
  /** Fewer bytes where it ends before. */
  read(start: number, length: number): Promise<Uint8Array>;
}

/** Positions of the names in the text of a header, and the first name that an object repeats. */
interface HeaderLayout {
  readonly entries: ReadonlyMap<string, number>;
  readonly duplicate: { readonly name: string; readonly index: number } | undefined;
}

/** `JSON.parse` lets the last of two equal names win in silence, so the text is walked as well. */
function layOut(text: string): HeaderLayout {
  const entries = new Map<string, number>();
  const open: Set<string>[] = [];
  let duplicate: HeaderLayout['duplicate'];
  visit(text, {
    onObjectBegin: () => {
      open.push(new Set());
    },
    onObjectEnd: () => {
      open.pop();
    },
    onObjectProperty: (name, index) => {
      const names = open.at(-1);
      if (names?.has(name)) duplicate ??= { name, index };
      names?.add(name);
      if (open.length === 1) entries.set(name, index);
    },
  });
  return { entries, duplicate };
}

class HeaderReader {
  /** The path that the user knows, for messages. */
  readonly #path: string;
  readonly #file: string;
  readonly #corruptCode: ErrorCode;
  #text = '';
  #entries: ReadonlyMap<string, number> = new Map();
  #dataStart = 0;
  #dataBytes = 0;

  constructor(path: string, file: string, corruptCode: ErrorCode) {
    this.#path = path;
    this.#file = file;
    this.#corruptCode = corruptCode;
  }

  async read(source: HeaderSource): Promise<SafetensorsFile> {
    const { size } = source;
    if (size < HEADER_START) {
      throw this.#corrupt(size, `it ends after ${size} bytes, inside the header length`);
    }
    const headerBytes = await this.#readHeaderLength(source);
    this.#dataStart = HEADER_START + headerBytes;
    this.#dataBytes = size - this.#dataStart;
    const header = this.#parse(await this.#readHeader(source, headerBytes));
    const { __metadata__: metadata, ...tensors } = header;
    const locations = Object.entries(tensors).map(([name, entry]) => this.#locate(name, entry));
    return {
      path: this.#file,
      metadata: this.#checkMetadata(metadata),
      tensors: this.#checkCoverage(locations),
    };
  }

  async #readHeaderLength(source: HeaderSource): Promise<number> {
    const { size } = source;
    const length = Buffer.from(await source.read(0, HEADER_START)).readBigUInt64LE();
    if (length > BigInt(MAX_HEADER_BYTES)) {
      throw this.#corrupt(
        0,
        `it claims a header of ${length} bytes, more than the format allows (${MAX_HEADER_BYTES}), so it is probably not a safetensors file`,
      );
    }
    if (HEADER_START + Number(length) > size) {
      throw this.#corrupt(
        0,
        `its header should be ${length} bytes long but the file ends after ${size} bytes`,
      );
    }
    return Number(length);
  }

  async #readHeader(source: HeaderSource, length: number): Promise<Uint8Array> {
    const bytes = await source.read(HEADER_START, length);
    if (bytes.length < length) {
      throw this.#corrupt(HEADER_START + bytes.length, 'its header ends early');
    }
    return bytes;
  }

  #parse(bytes: Uint8Array): Record<string, unknown> {
    try {
      this.#text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (error) {
      throw this.#corrupt(HEADER_START, 'its header is not valid UTF-8', error);
    }
    if (!this.#text.startsWith('{')) {
      throw this.#corrupt(HEADER_START, 'its header does not begin with "{"');
    }
    let header: Record<string, unknown>;
    let layout: HeaderLayout;
    try {
      header = parseJson(this.#text) as Record<string, unknown>;
      layout = layOut(this.#text);
    } catch (error) {
      throw this.#corrupt(HEADER_START, `its header ${messageOf(error)}`, error);
    }
    if (layout.duplicate !== undefined) {
      const { name, index } = layout.duplicate;
      throw this.#corrupt(this.#offsetOf(index), `its header holds ${quote(name)} twice`);
    }
    this.#entries = layout.entries;
    return header;
  }

  #checkMetadata(metadata: unknown): Readonly<Record<string, string>> {
    if (metadata === undefined || metadata === null) return {};
    const strings = isObject(metadata) ? Object.entries(metadata) : undefined;
    if (strings === undefined || strings.some(([, value]) => typeof value !== 'string')) {
      throw this.#corruptEntry('__metadata__', 'its __metadata__ is not an object of strings');
    }
    return metadata as Readonly<Record<string, string>>;
  }

  #locate(name: string, entry: unknown): TensorLocation {
    const fail = (cause: string) => this.#corruptEntry(name, `tensor ${quote(name)} ${cause}`);
    if (!isObject(entry)) throw fail('is not described by an object');
    const { dtype, shape, data_offsets: offsets } = entry;
    if (typeof dtype !== 'string') throw fail('has no dtype');
    if (!isDtype(dtype)) {
      throw new LorafaError(
        'model.unsupported',
        `Tensor ${quote(name)} in ${this.#path} has the element type ${quote(dtype)}; known are ${Object.keys(BYTES_PER_ELEMENT).join(', ')}; store it as one of these.`,
        { location: { file: this.#path, offset: this.#offsetOfEntry(name) } },
      );
    }
    if (!isSizeList(shape)) throw fail('has a shape that is not a list of sizes');
    if (!isSizeList(offsets) || offsets.length !== 2) {
      throw fail('has data_offsets that are not two byte positions');
    }
    const [begin, end] = offsets as [number, number];
    if (begin > end || end > this.#dataBytes) {
      throw fail(
        `should lie at bytes ${begin} to ${end} of the data, of which the file holds ${this.#dataBytes} (cut short?)`,
      );
    }
    const bytes = elementCount(shape) * BYTES_PER_ELEMENT[dtype];
    if (bytes !== end - begin) {
      throw fail(
        `of shape ${formatShape(shape)} and type ${dtype} needs ${bytes} bytes but has ${end - begin}`,
      );
    }
    const offset = this.#dataStart + begin;
    return { name, dtype, shape, file: this.#file, offset, length: bytes };
  }

  /** The data must be covered exactly once: no overlap, no hole, nothing left over. */
  #checkCoverage(locations: TensorLocation[]): ReadonlyMap<string, TensorLocation> {
    locations.sort((a, b) => a.offset - b.offset || a.length - b.length);
    let position = this.#dataStart;
    for (const { name, offset, length } of locations) {
      if (offset !== position) {
        const cause = offset < position ? 'overlaps the tensor before it' : 'follows unused bytes';
        throw this.#corrupt(offset, `tensor ${quote(name)} ${cause}`);
      }
      position += length;
    }
    const end = this.#dataStart + this.#dataBytes;
    if (position !== end) {
      throw this.#corrupt(position, `${end - position} bytes at its end belong to no tensor`);
    }
    return new Map(locations.map((location) => [location.name, location]));
  }

  #corrupt(offset: number, cause: string, error?: unknown): LorafaError {
    return new LorafaError(
      this.#corruptCode,
      `${this.#path} is damaged at byte ${offset}: ${cause}; download or copy it again.`,
      { location: { file: this.#path, offset }, ...(error === undefined ? {} : { cause: error }) },
    );
  }

  #corruptEntry(name: string, cause: string): LorafaError {
    return this.#corrupt(this.#offsetOfEntry(name), cause);
  }

  #offsetOfEntry(name: string): number {
    return this.#offsetOf(this.#entries.get(name) ?? 0);
  }

  /** Byte offset in the file of a UTF-16 index into the header. */
  #offsetOf(index: number): number {
    return HEADER_START + Buffer.byteLength(this.#text.slice(0, index));
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDtype(name: string): name is TensorDtype {
  return Object.hasOwn(BYTES_PER_ELEMENT, name);
}

function isSizeList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** A name from a stranger's file, made fit for a message. */
function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}
