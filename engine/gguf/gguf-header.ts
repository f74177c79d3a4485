/** Items of all lists in a header; the largest vocabularies have a million tokens, and as many merges. */
const MAX_ITEMS = 2 ** 22;

/** Lists may lie in lists, which no model makes use of. */
const MAX_DEPTH = 4;

/** Bytes that are read at a time. */
const CHUNK = 2 ** 18;

/** Bytes of a value, by GGUF's numbers of types; strings and lists say themselves. */
const VALUE_BYTES: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const STRING = 8;
const LIST = 9;

/** What a header is read from. */
export interface GgufSource {
  /** Bytes of the file. */
  readonly size: number;
  /** The bytes from `start` on, `length` of them or fewer, where there are no more. */
  readonly read: (start: number, length: number) => Promise<Buffer<ArrayBuffer>>;
}

/**
 * Walks through the header of a GGUF file and makes sure that it lies in the file: the library reads
 * zeros beyond its end, megabyte after megabyte, for as many items as a list claims to have.
 *
 * @returns bytes of the header
 * @throws Error whose message says what is wrong with "it"
 */
export async function checkGgufHeader(source: GgufSource): Promise<number> {
  return new HeaderWalk(source).walk();
}

class HeaderWalk {
  readonly #source: GgufSource;
  #offset = 0;
  #items = 0;
  #isLittleEndian = true;
  /** The size of numbers that count things: four bytes in the first version. */
  #countBytes: 4 | 8 = 8;
  #chunk = Buffer.alloc(0);
  #chunkStart = 0;

  constructor(source: GgufSource) {
    this.#source = source;
  }

  async walk(): Promise<number> {
    const magic = await this.#take(4);
    if (magic.toString('latin1') !== 'GGUF')
      throw new Error('it does not begin with the magic number');
    const version = await this.#take(4);
    this.#isLittleEndian = (version.readUInt32LE() & 0xffff) !== 0;
    this.#countBytes = this.#uint32(version) === 1 ? 4 : 8;
    const tensors = await this.#count();
    const values = await this.#count();
    for (let left = values; left > 0; left--) {
      await this.#skipString();
      await this.#skipValue(this.#uint32(await this.#take(4)), 0);
    }
    for (let left = tensors; left > 0; left--) {
      await this.#skipString();
      const dimensions = this.#uint32(await this.#take(4));
      this.#skip(dimensions * this.#countBytes + 4 + 8);
    }
    return this.#offset;
  }

  async #skipValue(type: number, depth: number): Promise<void> {
    if (type === STRING) return this.#skipString();
    if (type === LIST) return this.#skipList(depth + 1);
    this.#skip(bytesOf(type));
  }

  async #skipList(depth: number): Promise<void> {
    const type = this.#uint32(await this.#take(4));
    const length = await this.#count();
    this.#items += length;
    if (depth > MAX_DEPTH || this.#items > MAX_ITEMS) {
      throw new Error('it has lists that are longer than any model has');
    }
    if (type === STRING || type === LIST) {
      for (let left = length; left > 0; left--) await this.#skipValue(type, depth);
    } else {
      this.#skip(length * bytesOf(type));
    }
  }

  async #skipString(): Promise<void> {
    this.#skip(await this.#count());
  }

  /** A number of things of at least a byte each. */
  async #count(): Promise<number> {
    const bytes = await this.#take(this.#countBytes);
    const count = this.#countBytes === 4 ? BigInt(this.#uint32(bytes)) : this.#uint64(bytes);
    if (count > BigInt(this.#source.size - this.#offset)) throw new Error(ENDS_EARLY);
    return Number(count);
  }

  #uint32(bytes: Buffer): number {
    return this.#isLittleEndian ? bytes.readUInt32LE() : bytes.readUInt32BE();
  }

  #uint64(bytes: Buffer): bigint {
    return this.#isLittleEndian ? bytes.readBigUInt64LE() : bytes.readBigUInt64BE();
  }

  #skip(length: number): void {
    this.#offset += length;
    if (this.#offset > this.#source.size) throw new Error(ENDS_EARLY);
  }

  /** The next few bytes. */
  async #take(length: number): Promise<Buffer> {
    const start = this.#offset;
    this.#skip(length);
    const chunkEnd = this.#chunkStart + this.#chunk.length;
    if (start < this.#chunkStart || this.#offset > chunkEnd) await this.#read(start);
    const at = start - this.#chunkStart;
    const bytes = this.#chunk.subarray(at, at + length);
    if (bytes.length < length) throw new Error(ENDS_EARLY);
    return bytes;
  }

  async #read(start: number): Promise<void> {
    const length = Math.min(CHUNK, this.#source.size - start);
    this.#chunk = await this.#source.read(start, length);
    this.#chunkStart = start;
  }
}

const ENDS_EARLY = 'it ends inside its header';

function bytesOf(type: number): number {
  const bytes = VALUE_BYTES[type];
  if (bytes === undefined) throw new Error('it holds values of a type that is not known');
  return bytes;
}
