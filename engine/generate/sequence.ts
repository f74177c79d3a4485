import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { dependsOnTextLength, longTextLength } from '../architectures/rotary-embedding.ts';
import { CPU, type Device } from '../runtime/device.ts';
import type { Session } from '../runtime/session.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import { int64 } from '../runtime/tensor.ts';
import type { TakenAdapter } from './adapters-on-device.ts';
import { GENERATION_TENSORS as names } from './generation-graph.ts';
import { generationRuns, inChunks, wholeRuns } from './generation-runs.ts';
import { KeyValueCache } from './key-value-cache.ts';

/** A and B of every module of an adapter: arrays, or tensors of the device that computes. */
export type RuntimeWeights = ReadonlyMap<string, Float32Array | StateTensor>;

/** What reads a text. */
export interface SequenceSessions {
  /**
   * Whether tokens, of which logits are wanted at some rows, are read by sessions that take one number of them
   * and give the logits of one.
   */
  areFixedFor(count: number, logitRows: readonly number[]): boolean;
  /** The session for so many tokens, or for any number of them. */
  forTokens(size: number | undefined): Promise<Session>;
}

/** One text that grows: its cache, and the model and adapter that read it. */
export class Sequence {
  readonly #sessions: SequenceSessions;
  readonly #adapter: TakenAdapter | undefined;
  readonly #device: Device;
  #cache: KeyValueCache;
  readonly #config: DecoderConfig;
  /** From which length on all of a text is turned by other angles; null where there is no such. */
  readonly #longFrom: number | null;
  readonly #dependsOnLength: boolean;
  /** Tokens of the text as which the latest were read. */
  #readAs = 0;
  /** The tokens so far, where they may have to be read again. */
  #ids: number[] = [];

  /**
   * @param sessions of generation graphs with this adapter's modules
   * @param device where the sessions compute
   */
  constructor(
    config: DecoderConfig,
    sessions: SequenceSessions,
    adapter?: TakenAdapter,
    device: Device = CPU,
  ) {
    this.#sessions = sessions;
    this.#adapter = adapter;
    this.#config = config;
    this.#longFrom = longTextLength(config);
    this.#dependsOnLength = dependsOnTextLength(config);
    this.#device = device;
    this.#cache = new KeyValueCache(config, device);
  }

  /** Number of tokens so far. */
  get length(): number {
    return this.#cache.length;
  }

  /**
   * Reads the next tokens, all in one run where the graph takes so many: its memory grows with their number
   * times the length of the text, so give long texts in chunks.
   *
   * @param tokenIds at least one
   * @param logitRows which of these tokens' logits are wanted, counted from 0
   * @param textLength tokens of the text that they are a part of, if more of it is to be read
   * @returns `[logitRows, vocabSize]`
   * @throws LorafaError `device.failed`
   */
  async append(
    tokenIds: readonly number[],
    logitRows: readonly number[] = [tokenIds.length - 1],
    textLength = this.length + tokenIds.length,
  ): Promise<Float32Array> {
    if (this.#longFrom !== null) {
      const becomesLong = this.#readAs < this.#longFrom && textLength >= this.#longFrom;
      if (becomesLong) await this.#readAgain(textLength);
      this.#ids.push(...tokenIds);
    }
    this.#readAs = textLength;
    return this.#read(tokenIds, logitRows, textLength);
  }

  /** Frees the memory of a cache on a device, and the adapter for others; calling it again does nothing. */
  release(): void {
    this.#cache.release();
    this.#adapter?.release();
  }

  /** Reads the text so far as the beginning of one that is so long. */
  async #readAgain(textLength: number): Promise<void> {
    this.#cache.release();
    this.#cache = new KeyValueCache(this.#config, this.#device);
    for (const chunk of inChunks(this.#ids)) await this.#read(chunk, [], textLength);
  }

  async #read(
    tokenIds: readonly number[],
    logitRows: readonly number[],
    textLength: number,
  ): Promise<Float32Array> {
    const { maxPositionEmbeddings, vocabSize } = this.#config;
    const areFixed = this.#sessions.areFixedFor(tokenIds.length, logitRows);
    const runs = areFixed
      ? generationRuns(tokenIds.length, logitRows, maxPositionEmbeddings - this.length)
      : wholeRuns(tokenIds.length, this.#cache.mostTokens);
    const logits = new Float32Array(logitRows.length * vocabSize);
    for (const { start, count, size } of runs) {
      const inRun = logitRows.map((row) => row - start).filter((row) => row >= 0 && row < count);
      const rows = areFixed ? [count - 1] : [...new Set(inRun)];
      const ids = tokenIds.slice(start, start + count);
      const session = await this.#sessions.forTokens(areFixed ? size : undefined);
      const computed = await this.#run(session, ids, size, rows, textLength);
      logitRows.forEach((row, i) => {
        const at = rows.indexOf(row - start);
        if (at >= 0)
          logits.set(computed.subarray(at * vocabSize, (at + 1) * vocabSize), i * vocabSize);
      });
    }
    return logits;
  }

  /** @param size tokens that the graph takes; those beyond the given ones come after them, so that none sees them */
  async #run(
    session: Session,
    tokenIds: readonly number[],
    size: number,
    logitRows: readonly number[],
    textLength: number,
  ): Promise<Float32Array> {
    const positions = Array.from({ length: size }, (_, i) => this.length + i);
    const filled = positions.map((_, i) => tokenIds[i] ?? 0);
    const feeds = {
      ...Object.fromEntries(this.#adapter?.weights ?? []),
      ...this.#cache.feeds(size),
      [names.tokenIds]: { data: int64(filled), shape: [size] },
      [names.positions]: { data: int64(positions), shape: [size] },
      [names.logitRows]: { data: int64(logitRows), shape: [logitRows.length] },
      ...(this.#dependsOnLength && {
        [names.textLength]: { data: int64([textLength]), shape: [] },
      }),
    };
    const outputs = await session.run(feeds, this.#cache.results());
    this.#cache.append(tokenIds.length);
    return outputs[names.logits]!.data as Float32Array;
  }
}
