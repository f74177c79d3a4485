import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** A protobuf message without its schema: the values of each field number, in file order. */
export type Message = ReadonlyMap<number, readonly (number | Uint8Array)[]>;

export function readMessage(bytes: Uint8Array): Message {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (number | Uint8Array)[]>();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    fields.set(field, [...(fields.get(field) ?? []), readValue(reader, type)]);
  }
  return fields;
}

function readValue(reader: BinaryReader, type: WireType): number | Uint8Array {
  switch (type) {
    case WireType.Varint:
      return Number(reader.int64());
    case WireType.Bit32:
      return reader.float();
    case WireType.LengthDelimited:
      return reader.bytes();
    default:
      throw new Error(`wire type ${type} is not used by ONNX`);
  }
}

export function messages(message: Message, field: number): Message[] {
  return (message.get(field) ?? []).map((value) => readMessage(value as Uint8Array));
}

export function texts(message: Message, field: number): string[] {
  return (message.get(field) ?? []).map((value) => new TextDecoder().decode(value as Uint8Array));
}

export function numbers(message: Message, field: number): number[] {
  return (message.get(field) ?? []).map(Number);
}
