import { type GGUFTypedMetadata, GGUFValueType, gguf } from '@huggingface/gguf';
import type { GgufValue } from '../architectures/gguf-conventions.ts';

/** A value as the library reads it from a file, to be written again in its own type. */
type TypedValue = GGUFTypedMetadata[keyof GGUFTypedMetadata];

/** The metadata of a file that is to be written, in the order of their keys there. */
export type GgufEntries = ReadonlyMap<string, GgufValue | { readonly stored: TypedValue }>;

/** The entries as the library writes them. */
export function typedEntries(entries: GgufEntries): Record<string, object> {
  return Object.fromEntries([...entries].map(([key, value]) => [key, typed(value)]));
}

function typed(entry: GgufValue | { readonly stored: TypedValue }): object {
  if (typeof entry === 'string') return { value: entry, type: GGUFValueType.STRING };
  if (typeof entry === 'boolean') return { value: entry, type: GGUFValueType.BOOL };
  if ('stored' in entry) return entry.stored as object;
  const { type, value } = entry;
  switch (type) {
    case 'uint32':
      return { value, type: GGUFValueType.UINT32 };
    case 'int32':
      return { value, type: GGUFValueType.INT32 };
    case 'float32':
      return { value, type: GGUFValueType.FLOAT32 };
    case 'strings':
      return { value, type: GGUFValueType.ARRAY, subType: GGUFValueType.STRING };
    case 'booleans':
      return { value, type: GGUFValueType.ARRAY, subType: GGUFValueType.BOOL };
    case 'int32s':
      return { value, type: GGUFValueType.ARRAY, subType: GGUFValueType.INT32 };
    case 'float32s':
      return { value, type: GGUFValueType.ARRAY, subType: GGUFValueType.FLOAT32 };
  }
}

/** What the library counts itself, and what is said of the parts of a file that was split. */
const OF_THE_FILE = /^(version|tensor_count|kv_count|general\.alignment|split\..*)$/;

/**
 * The metadata of a file whose header was checked, to be written into another one. Lists of bytes,
 * which the library cannot write, are left out: they are tables of other kinds of tokenizers.
 */
export async function storedEntries(file: string): Promise<Map<string, { stored: TypedValue }>> {
  const { typedMetadata } = await gguf(file, { allowLocalFile: true, typedMetadata: true });
  const entries = new Map<string, { stored: TypedValue }>();
  for (const [key, stored] of Object.entries(typedMetadata)) {
    const isBytes = 'subType' in stored && stored.subType === GGUFValueType.UINT8;
    if (!OF_THE_FILE.test(key) && !isBytes) entries.set(key, { stored: stored as TypedValue });
  }
  return entries;
}
