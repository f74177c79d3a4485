import type { Adapter } from '../lora/adapter.ts';
import type { BaseModel } from '../models/base-model.ts';
import { Session, type SessionOptions } from '../runtime/session.ts';
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
  readonly #sessions = new Map<string, Promise<Session>>();

  constructor(
    model: Pick<BaseModel, 'config' | 'weights'>,
    options: Pick<SessionOptions, 'device' | 'threads'> = {},
  ) {
    this.#model = model;
    this.#options = { ...options, weightsFolder: model.weights.files().folder };
  }

  /**
   * An empty text, read by the base with an adapter or, with null, without one.
   *
   * @throws LorafaError `device.failed`
   */
  async sequence(adapter: RuntimeAdapter | null): Promise<Sequence> {
    const session = await this.#session(adapter);
    return new Sequence(this.#model.config, session, adapter?.weights);
  }

  /** Frees the memory of all graphs; sequences that are still open fail. */
  async release(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of sessions) await (await session).release();
  }

  #session(adapter: RuntimeAdapter | null): Promise<Session> {
    const modules = adapter?.modules ?? [];
    const structure = JSON.stringify(modules.map(({ name, r, scaling }) => [name, r, scaling]));
    const known = this.#sessions.get(structure);
    if (known !== undefined) return known;
    const created = Session.create(generationGraph(this.#model, modules), this.#options);
    this.#sessions.set(structure, created);
    // A failure is told to this caller and tried again for the next one.
    created.catch(() => this.#sessions.delete(structure));
    return created;
  }
}
