import type { Adapter } from '../lora/adapter.ts';
import type { BaseModel } from '../models/base-model.ts';
import { CPU, type Device, stateDevice } from '../runtime/device.ts';
import { Session, type SessionOptions } from '../runtime/session.ts';
import { AdaptersOnDevice } from './adapters-on-device.ts';
import { generationGraph } from './generation-graph.ts';
import { type RuntimeWeights, Sequence } from './sequence.ts';

/** What generation needs of an adapter. */
export interface RuntimeAdapter extends Pick<Adapter, 'modules'> {
  readonly weights: RuntimeWeights;
}

/**
 * Loaded graphs of one base model, one for each structure of adapter (layers, ranks, scalings).
 * Adapters of the same structure share a graph, since their weights are its inputs; all graphs share the
 * weights of the base.
 */
export class GenerationSessions {
  readonly #model: Pick<BaseModel, 'config' | 'weights'>;
  readonly #options: SessionOptions;
  readonly #adapters: AdaptersOnDevice;
  /** Where caches stay with what computes; undefined where JavaScript has them. */
  readonly #cacheDevice: Device | undefined;
  readonly #sessions = new Map<string, Promise<Session>>();

  constructor(
    model: Pick<BaseModel, 'config' | 'weights'>,
    options: Pick<SessionOptions, 'device' | 'threads'> = {},
  ) {
    this.#model = model;
    this.#options = { ...options, weightsFolder: model.weights.files().folder };
    const { device = CPU } = options;
    this.#adapters = new AdaptersOnDevice(device);
    this.#cacheDevice = stateDevice(device).kind === 'cpu' ? undefined : device;
  }

  /**
   * An empty text, read by the base with an adapter or, with null, without one.
   *
   * @throws LorafaError `device.failed`
   */
  async sequence(adapter: RuntimeAdapter | null): Promise<Sequence> {
    const session = await this.#session(adapter);
    const weights =
      adapter === null ? undefined : this.#adapters.weightsOf(adapter.modules, adapter.weights);
    return new Sequence(this.#model.config, session, weights, this.#cacheDevice);
  }

  /** Frees the memory of all graphs; sequences that are still open fail. */
  async release(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    this.#adapters.release();
    for (const session of sessions) await (await session).release();
  }

  #session(adapter: RuntimeAdapter | null): Promise<Session> {
    const modules = adapter?.modules ?? [];
    const structure = JSON.stringify(modules.map(({ name, r, scaling }) => [name, r, scaling]));
    const known = this.#sessions.get(structure);
    if (known !== undefined) return known;
    const isInPlace = this.#cacheDevice !== undefined;
    const graph = generationGraph(this.#model, modules, undefined, isInPlace);
    const created = Session.create(graph, this.#options);
    this.#sessions.set(structure, created);
    // A failure is told to this caller and tried again for the next one.
    created.catch(() => this.#sessions.delete(structure));
    return created;
  }
}
