import { Session, type SessionOptions } from '../runtime/session.ts';
import {
  type AdamWOptions,
  adamWGraph,
  expAvgName,
  expAvgSqName,
  gradientName,
  squaredNormGraph,
  type TrainableTensor,
  updateScalars,
} from './adamw.ts';

/** What an optimizer is made from. */
export interface OptimizerOptions extends AdamWOptions {
  readonly tensors: readonly TrainableTensor[];
  /** The tensors' initial values; the optimizer updates these arrays in place. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** Projections of the gradients, by the names that the tensors give. */
  readonly projections: ReadonlyMap<string, Float32Array>;
  readonly weightDecay: number;
  /** Gradients with a larger 2-norm are scaled down to it; 0 turns this off. */
  readonly maxGradNorm: number;
  readonly session: SessionOptions;
}

/**
 * AdamW with LoRA-FA's projection, computed by ONNX Runtime. It owns the gradients, the two
 * moments and the step count, and changes the weights in place.
 */
export class Optimizer {
  /** One array per tensor, by tensor name, for the caller to fill before {@link step}. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** Adam's moments by the names of {@link expAvgName} and {@link expAvgSqName}. */
  readonly moments: ReadonlyMap<string, Float32Array>;
  readonly #options: OptimizerOptions;
  readonly #update: Session;
  readonly #norm: Session;
  #steps = 0;

  private constructor(options: OptimizerOptions, update: Session, norm: Session) {
    this.#options = options;
    this.#update = update;
    this.#norm = norm;
    const { tensors, weights } = options;
    const zeros = (name: string): Float32Array => new Float32Array(weights.get(name)!.length);
    this.gradients = new Map(tensors.map(({ name }) => [name, zeros(name)]));
    this.moments = new Map(
      tensors.flatMap(({ name }) => [
        [expAvgName(name), zeros(name)],
        [expAvgSqName(name), zeros(name)],
      ]),
    );
  }

  static async create(options: OptimizerOptions): Promise<Optimizer> {
    const update = await Session.create(adamWGraph(options.tensors, options), options.session);
    const norm = await Session.create(squaredNormGraph(options.tensors), options.session);
    return new Optimizer(options, update, norm);
  }

  /** Updates done so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Goes on from a checkpoint's moments and step count. */
  restore(moments: ReadonlyMap<string, Float32Array>, steps: number): void {
    for (const [name, values] of this.moments) values.set(moments.get(name)!);
    this.#steps = steps;
  }

  /** The 2-norm of all gradients together, before clipping. */
  async gradientNorm(): Promise<number> {
    const { squared_norm: squared } = await this.#norm.run(this.#gradientFeeds());
    return Math.sqrt(Number(squared!.data[0]));
  }

  /**
   * One update from the current gradients.
   *
   * @param gradientNorm what {@link gradientNorm} says, for clipping (torch `clip_grad_norm_`)
   */
  async step(learningRate: number, gradientNorm: number): Promise<void> {
    const { maxGradNorm, weightDecay, weights, projections, tensors } = this.#options;
    const clip = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (gradientNorm + 1e-6)) : 1;
    this.#steps++;
    const scalars = updateScalars(this.#options, this.#steps, learningRate, weightDecay, clip);
    // The new weights and moments are written over the old ones (see adamWGraph).
    const state = {
      ...Object.fromEntries(tensors.map(({ name }) => [name, weights.get(name)!])),
      ...Object.fromEntries(this.moments),
    };
    const feeds = {
      ...state,
      ...this.#gradientFeeds(),
      ...Object.fromEntries(projections),
      ...Object.fromEntries(
        Object.entries(scalars).map(([name, value]) => [name, Float32Array.of(value)]),
      ),
    };
    await this.#update.run(feeds, state);
  }

  async release(): Promise<void> {
    await this.#update.release();
    await this.#norm.release();
  }

  #gradientFeeds(): Record<string, Float32Array> {
    const entries = [...this.gradients].map(([name, data]) => [gradientName(name), data] as const);
    return Object.fromEntries(entries);
  }
}
