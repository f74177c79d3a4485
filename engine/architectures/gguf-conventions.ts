import type { DecoderConfig } from './decoder-config.ts';

/** A value of the metadata, with the type that llama.cpp reads it in. */
export type GgufValue =
  | string
  | boolean
  | { readonly type: 'uint32' | 'int32' | 'float32'; readonly value: number }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'booleans'; readonly value: readonly boolean[] }
  | { readonly type: 'int32s' | 'float32s'; readonly value: readonly number[] };

export function uint32(value: number): GgufValue {
  return { type: 'uint32', value };
}

export function float32(value: number): GgufValue {
  return { type: 'float32', value };
}

export function optionalFloat32(value: number | null): GgufValue | undefined {
  return value === null ? undefined : float32(value);
}

/** The window of the layers that slide; undefined where none does. */
export function slidingWindow({ layers }: DecoderConfig): GgufValue | undefined {
  const window = layers.find(({ attention }) => attention.slidingWindow !== null)?.attention
    .slidingWindow;
  return window == null ? undefined : uint32(window);
}

/** The metadata of a GGUF file, by keys without the architecture before them. */
export interface GgufKeys {
  number(key: string): number | undefined;
  boolean(key: string): boolean | undefined;
  booleans(key: string): boolean[] | undefined;
}

/** How llama.cpp's files hold a family, beside the names that follow from its parts. */
export interface GgufConventions {
  /** `general.architecture`; families that share one are told apart by `onlyWith`, or the first is meant. */
  readonly architecture: string;
  /** A key that files of this family have, where another family has the same architecture. */
  readonly onlyWith?: string;
  /** Keys of `config.json` that the common metadata do not give; undefined for the default. */
  readonly config?: (metadata: GgufKeys) => Readonly<Record<string, unknown>>;
  /**
   * The other direction: entries of the metadata that a file of this family has beside the common ones, or
   * in their place; undefined for one that it does not have.
   */
  readonly metadata?: (decoder: DecoderConfig) => Readonly<Record<string, GgufValue | undefined>>;
  /**
   * Rows of queries and keys are in the order of neighbouring pairs: in each head, row 2j + t is the
   * row t · headDim / 2 + j of Hugging Face's (llama.cpp `LlamaModel.permute`).
   */
  readonly interleavedRows?: boolean;
  /** Queries, keys and values of all heads lie after each other where Hugging Face has them by head. */
  readonly fusedByKind?: boolean;
  /** Gate and up are two tensors where Hugging Face has them in one layer, the gate first. */
  readonly gateUpApart?: boolean;
  /** Weights of norms are stored as they are multiplied with, with 1 added. */
  readonly addedOne?: boolean;
}
