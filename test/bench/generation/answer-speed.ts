/** What is read and written to measure how fast a model answers. */
export interface AnswerRequest {
  /** A Hugging Face folder or a GGUF file. */
  readonly model: string;
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** Tokens that are written after it. */
  readonly newTokens: number;
  readonly threads: number;
}

/** How fast a model answers. */
export interface AnswerSpeed {
  /** Milliseconds until the prompt has been read. */
  readonly promptMs: number;
  /** Milliseconds of each token after the first. */
  readonly tokenMs: readonly number[];
  /** The most bytes that were resident in the process. */
  readonly peakRss: number;
}

/** Token ids of a prompt, which every vocabulary has: speed does not depend on what they mean. */
export function promptIds(count: number): number[] {
  return Array.from({ length: count }, (_, i) => 300 + ((i * 37) % 400));
}
