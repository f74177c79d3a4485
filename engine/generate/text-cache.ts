import type { Feeds, Results } from '../runtime/feeds.ts';
import type { Tensor } from '../runtime/tensor.ts';

/** Keys and values of a text's tokens so far, for every layer of a model. */
export interface TextCache {
  /** Number of tokens so far, which is also the position of the next one. */
  readonly length: number;
  /** The most tokens that one run may read. */
  readonly tokensAtOnce: number;
  /**
   * The inputs of the generation graph that hold the past, for a run that reads the next `count` tokens.
   *
   * @throws LorafaError `device.failed` when there is no room for them; the cache is empty then, and its memory free
   */
  feeds(count: number): Feeds;
  /** Where the outputs go that belong to the cache, if they have a place. */
  results(): Results;
  /** Takes over the next `count` tokens from the outputs of a run that read them. */
  append(count: number, outputs: Readonly<Record<string, Tensor>>): void;
  /** Frees the memory; calling it again does nothing. */
  release(): void;
}
