/** A value of Thrift's compact protocol: numbers and booleans, lists and structs. Bytes are skipped. */
export type ThriftValue = number | readonly ThriftValue[] | ThriftStruct | undefined;

/** Fields by their ids. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>;

/** Structs of Parquet lie in each other eight deep. */
const MAX_DEPTH = 16;

/** The field types that Parquet uses (Thrift compact protocol). */
const STOP = 0;
const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

/**
 * Reads Thrift whose lengths have not been believed yet: no list has more items than there are bytes,
 * no number more digits than its type. Every method throws an Error for what is none.
 */
export class ThriftReader {
  readonly #bytes: Uint8Array;
  /** Where the next value begins. */
  offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.offset = offset;
  }

  /** Reads a struct with all it holds. */
  readStruct(depth = 0): ThriftStruct {
    if (depth > MAX_DEPTH) throw new Error('its header is nested too deeply');
    const fields = new Map<number, ThriftValue>();
    let id = 0;
    for (;;) {
      const byte = this.#byte();
      const type = byte & 0x0f;
      if (type === STOP) return fields;
      const delta = byte >> 4;
      id = delta === 0 ? this.readZigzag(5) : id + delta;
      fields.set(id, this.#readValue(type, depth));
    }
  }

  /** An unsigned number of at most so many bytes. */
  readVarint(maxBytes = 5): number {
    let value = 0;
    for (let index = 0; index < maxBytes; index++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new Error('a number in it has no end');
  }

  #readValue(type: number, depth: number): ThriftValue {
    switch (type) {
      case TRUE:
        return 1;
      case FALSE:
        return 0;
      case BYTE:
        return this.#byte();
      case 4:
      case 5:
        return this.readZigzag(5);
      case 6:
        return this.readZigzag(10);
      case DOUBLE:
        this.#skip(8);
        return undefined;
      case BINARY:
        this.#skip(this.readVarint());
        return undefined;
      case LIST:
        return this.#readList(depth);
      case STRUCT:
        return this.readStruct(depth + 1);
      default:
        throw new Error('its header holds what no header has');
    }
  }

  #readList(depth: number): readonly ThriftValue[] {
    const head = this.#byte();
    const type = head & 0x0f;
    const size = head >> 4 === 15 ? this.readVarint() : head >> 4;
    if (size > this.#bytes.length - this.offset) throw new Error('a list in it has no end');
    const itemType = type === TRUE || type === FALSE ? BYTE : type;
    return Array.from({ length: size }, () => this.#readValue(itemType, depth));
  }

  /** A signed number of at most so many bytes. */
  readZigzag(maxBytes: number): number {
    const value = this.readVarint(maxBytes);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #byte(): number {
    const byte = this.#bytes[this.offset++];
    if (byte === undefined) throw new Error('its header ends early');
    return byte;
  }

  #skip(length: number): void {
    this.offset += length;
    if (this.offset > this.#bytes.length) throw new Error('its header ends early');
  }
}
