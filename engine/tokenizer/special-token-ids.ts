/** The special tokens that a model's own config names; the tokenizer's files may name others. */
export interface SpecialTokenIds {
  readonly bosTokenId: number | null;
  /** Tokens that end a text; may be empty when only the tokenizer knows. */
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | null;
}
