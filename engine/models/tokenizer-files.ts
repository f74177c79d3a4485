/** A JSON object whose content has not been checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a tokenizer is made from, whether it was read from a folder or from a GGUF's metadata. */
export interface TokenizerFiles {
  /** Content of `tokenizer.json` (Hugging Face tokenizers format). */
  readonly tokenizerJson: JsonObject;
  /** Content of `tokenizer_config.json`; empty when there is none. */
  readonly tokenizerConfig: JsonObject;
  /** The Jinja template, from `chat_template.jinja` or the tokenizer config; null when there is none. */
  readonly chatTemplate: string | null;
  /** Content of `generation_config.json`, or null. */
  readonly generationConfig: JsonObject | null;
  /** The folder or file that all this came from, for error messages. */
  readonly source: string;
}
