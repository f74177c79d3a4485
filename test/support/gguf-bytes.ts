import {
  GGMLQuantizationType,
  type GGUFTypedMetadata,
  GGUFValueType,
  serializeGgufMetadata,
} from '@huggingface/gguf';

export type MetadataInput = Record<string, string | number | boolean | string[] | number[]>;

export interface TensorInput {
  readonly name: string;
  /** As in the file: innermost dimension first. */
  readonly dims: readonly number[];
  readonly type?: GGMLQuantizationType;
  readonly offset?: number;
}

/** The bytes of a small GGUF file; the data is zeros. */
export function ggufBytes(
  metadata: MetadataInput,
  tensors: readonly TensorInput[] = [],
  data: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const count = (value: number) => ({ value: BigInt(value), type: GGUFValueType.UINT64 as const });
  const entries = Object.entries(metadata).map(([key, value]) => [key, typed(value)]);
  const head = serializeGgufMetadata(
    {
      version: { value: 3, type: GGUFValueType.UINT32 },
      tensor_count: count(tensors.length),
      kv_count: count(entries.length),
      ...Object.fromEntries(entries),
    } as GGUFTypedMetadata,
    { alignment: 1 },
  );
  const infos = tensors.map(({ name, dims, type = GGMLQuantizationType.F32, offset = 0 }) => {
    const nameBytes = Buffer.from(name);
    const info = Buffer.alloc(8 + nameBytes.length + 4 + 8 * dims.length + 4 + 8);
    let at = info.writeBigUInt64LE(BigInt(nameBytes.length));
    at += nameBytes.copy(info, at);
    at = info.writeUInt32LE(dims.length, at);
    for (const dim of dims) at = info.writeBigUInt64LE(BigInt(dim), at);
    at = info.writeUInt32LE(type, at);
    info.writeBigUInt64LE(BigInt(offset), at);
    return info;
  });
  const header = Buffer.concat([head, ...infos]);
  return Buffer.concat([header, Buffer.alloc(-header.length & 31), data]);
}

function typed(value: MetadataInput[string]) {
  if (!Array.isArray(value)) return { value, type: typeOf(value) };
  return { value, type: GGUFValueType.ARRAY, subType: typeOf(value[0] ?? '') };
}

function typeOf(value: string | number | boolean): GGUFValueType {
  if (typeof value === 'string') return GGUFValueType.STRING;
  if (typeof value === 'boolean') return GGUFValueType.BOOL;
  return Number.isInteger(value) ? GGUFValueType.INT32 : GGUFValueType.FLOAT32;
}
