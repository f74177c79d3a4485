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
   * Rows of queries and keys are in the order of neighbouring pairs: in each head, row 2j + t is the
   * row t · headDim / 2 + j of Hugging Face's (llama.cpp `LlamaModel.permute`).
   */
  readonly interleavedRows?: boolean;
  /** Queries, keys and values of all heads lie after each other where Hugging Face has them by head. */
  readonly fusedByKind?: boolean;
  /** Weights of norms are stored as they are multiplied with, with 1 added. */
  readonly addedOne?: boolean;
}
