import { type BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Fields of Protocol Buffers messages, by their numbers: what is written here needs no generated code. */

/** A message in a message, of which `body` writes the fields. */
export function message(writer: BinaryWriter, field: number, body: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  body();
  writer.join();
}

export function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

/** A whole number or a member of an enumeration, of at most 64 bits. */
export function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}
