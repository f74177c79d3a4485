/** How llama.cpp's files hold a family's tensors, beside the names that follow from their parts. */
export interface GgufConventions {
  /** `general.architecture`; of families that share one, the first in the list is read from it. */
  readonly architecture: string;
  /**
   * Rows of queries and keys are in the order of neighbouring pairs: in each head, row 2j + t is the
   * row t · headDim / 2 + j of Hugging Face's (llama.cpp `LlamaModel.permute`).
   */
  readonly interleavedRows?: boolean;
  /** Weights of norms are stored as they are multiplied with, with 1 added. */
  readonly addedOne?: boolean;
}
