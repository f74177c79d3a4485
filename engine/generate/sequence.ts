import type { DecoderConfig } from '../architectures/decoder-config.ts';
import type { AdapterWeights } from '../lora/adapter.ts';
import type { Session } from '../runtime/session.ts';
import { int64 } from '../runtime/tensor.ts';
import { GENERATION_TENSORS as names } from './generation-graph.ts';
import { KeyValueCache } from './key-value-cache.ts';

/** One text that grows: its cache, and the model and adapter that read it. */
export class Sequence {
  readonly #session: Session;
  readonly #adapter: AdapterWeights;
  readonly #cache: KeyValueCache;

  /** @param session of a generation graph with this adapter's modules */
  constructor(config: DecoderConfig, session: Session, adapter: AdapterWeights = new Map()) {
    this.#session = session;
    this.#adapter = adapter;
    this.#cache = new KeyValueCache(config);
  }

  /** Number of tokens so far. */
  get length(): number {
    return this.#cache.length;
  }

  /**
   * Reads the next tokens, all in one run: its memory grows with their number times the length of
   * the text, so give long texts in chunks.
   *
   * @param tokenIds at least one
   * @param logitRows which of these tokens' logits are wanted, counted from 0
   * @returns `[logitRows, vocabSize]`
   * @throws LorafaError `device.failed`
   */
  async append(
    tokenIds: readonly number[],
    logitRows: readonly number[] = [tokenIds.length - 1],
  ): Promise<Float32Array> {
    const count = tokenIds.length;
    const positions = Array.from({ length: count }, (_, i) => this.length + i);
    const outputs = await this.#session.run({
      ...Object.fromEntries(this.#adapter),
      ...this.#cache.feeds(),
      [names.tokenIds]: { data: int64(tokenIds), shape: [count] },
      [names.positions]: { data: int64(positions), shape: [count] },
      [names.logitRows]: { data: int64(logitRows), shape: [logitRows.length] },
    });
    this.#cache.append(count, outputs);
    return outputs[names.logits]!.data as Float32Array;
  }
}
