import type { Adapter } from '../lora/adapter.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import type { BaseModel } from '../models/base-model.ts';
import { CPU, type Device } from '../runtime/device.ts';
import { releaseMade, Session, type SessionOptions } from '../runtime/session.ts';
import { isBfloat16Mode } from '../weights/compute-mode.ts';
import { AdaptersOnDevice } from './adapters-on-device.ts';
import { FREE_SIZES, fixedSizes, generationGraph } from './generation-graph.ts';
import { isWholeChunk } from './generation-runs.ts';
import { chunkWeights, generationWeights } from './generation-weights.ts';
import { type RuntimeWeights, Sequence, type SequenceSessions } from './sequence.ts';

/** What generation needs of an adapter. */
export interface RuntimeAdapter extends Pick<Adapter, 'modules'> {
  readonly weights: RuntimeWeights;
}

/**
 * Loaded graphs of one base model, one for each structure of adapter (layers, ranks, scalings), and where
 * products are in bfloat16 for each number of tokens that are read at once.
 * Adapters of the same structure share a graph, since their weights are its inputs; all graphs share the
 * weights of the base.
 */
export class GenerationSessions {
  readonly #model: Pick<BaseModel, 'config' | 'weights'>;
  /** The same for whole chunks of a text, where there is a faster way to read them. */
  readonly #chunkModel: Pick<BaseModel, 'config' | 'weights'> | undefined;
  readonly #options: SessionOptions;
  readonly #adapters: AdaptersOnDevice;
  readonly #device: Device;
  readonly #sessions = new Map<string, Promise<Session>>();

  constructor(
    model: Pick<BaseModel, 'config' | 'weights'>,
    options: Pick<SessionOptions, 'device' | 'threads' | 'onComputedByCpu'> = {},
  ) {
    this.#model = { ...model, weights: generationWeights(model, options.device) };
    const chunks = chunkWeights(model, options.device);
    this.#chunkModel = chunks && { ...model, weights: chunks };
    this.#options = { ...options, weightsFolder: model.weights.files().folder };
    this.#device = options.device ?? CPU;
    this.#adapters = new AdaptersOnDevice(this.#device);
  }

  /**
   * An empty text, read by the base with an adapter or, with null, without one. Whoever asks releases it.
   *
   * @throws LorafaError `device.failed`
   */
  async sequence(adapter: RuntimeAdapter | null): Promise<Sequence> {
    const modules = adapter?.modules ?? [];
    const areFixed = isBfloat16Mode(this.#model.weights.compute);
    const hasChunks = this.#chunkModel !== undefined;
    const sessions: SequenceSessions = {
      areFixedFor: (count, rows) => areFixed || (hasChunks && isWholeChunk(count, rows)),
      forTokens: (size) => this.#session(modules, size),
    };
    await sessions.forTokens(areFixed ? 1 : undefined);
    const taken =
      adapter === null ? undefined : this.#adapters.take(adapter.modules, adapter.weights);
    return new Sequence(this.#model.config, sessions, taken, this.#device);
  }

  /** Frees the memory of all graphs; sequences that are still open fail. */
  async release(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    this.#adapters.release();
    await releaseMade(sessions);
  }

  /** @param size tokens of a run, where that is fixed */
  #session(modules: readonly LoraModule[], size: number | undefined): Promise<Session> {
    const structure = JSON.stringify([
      size,
      modules.map(({ name, r, scaling }) => [name, r, scaling]),
    ]);
    const known = this.#sessions.get(structure);
    if (known !== undefined) return known;
    const sizes = size === undefined ? FREE_SIZES : fixedSizes(size);
    // Sessions for any number of tokens read the rest of a text.
    const model = size === undefined ? this.#model : (this.#chunkModel ?? this.#model);
    const graph = generationGraph(model, modules, sizes, this.#device.kind === 'cpu');
    const created = Session.create(graph, this.#options);
    this.#sessions.set(structure, created);
    // A failure is told to this caller and tried again for the next one.
    created.catch(() => this.#sessions.delete(structure));
    return created;
  }
}
