/** What the modules of a decoder are called outside of its layers. */
export interface ModuleNames {
  readonly embedding: string;
  /** Where positions are learned. */
  readonly positions?: string;
  readonly layers: string;
  readonly norm: string;
  readonly head: string;
}

/** As most families have them. */
export const LLAMA_NAMES: ModuleNames = {
  embedding: 'model.embed_tokens',
  layers: 'model.layers',
  norm: 'model.norm',
  head: 'lm_head',
};
