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
import { type Bucket, bucketArray, intoBuckets } from './bucket.ts';

/** What an optimizer is made from. */
export interface OptimizerOptions extends AdamWOptions {
  readonly tensors: readonly TrainableTensor[];
  /** The tensors' initial values, whose place is taken by arrays that the optimizer updates. */
  readonly weights: Map<string, Float32Array>;
  /** Projections of the gradients, by the names that the tensors give. */
  readonly projections: ReadonlyMap<string, Float32Array>;
  /** Gradients with a larger 2-norm are scaled down to it; 0 turns this off. */
  readonly maxGradNorm: number;
  readonly session: SessionOptions;
}

/**
 * AdamW, for LoRA-FA with its projection, computed by ONNX Runtime. It owns the gradients, the two
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
  /** What the two graphs are fed with, by input name. */
  readonly #gradientFeeds: Readonly<Record<string, Float32Array>>;
  readonly #projectionFeeds: Readonly<Record<string, Float32Array>>;
  /** Weights and moments, which an update writes over. */
  readonly #state: Readonly<Record<string, Float32Array>>;
  #steps = 0;

  private constructor(
    options: OptimizerOptions,
    buckets: readonly Bucket[],
    update: Session,
    norm: Session,
  ) {
    this.#options = options;
    this.#update = update;
    this.#norm = norm;
    const gradients = new Map<string, Float32Array>();
    const moments = new Map<string, Float32Array>();
    const gradientFeeds: Record<string, Float32Array> = {};
    const state: Record<string, Float32Array> = {};
    const projections: Record<string, Float32Array> = {};
    for (const bucket of buckets) {
      const weights = bucketArray(bucket);
      for (const [name, view] of weights.views) {
        view.set(options.weights.get(name)!);
        options.weights.set(name, view);
      }
      state[bucket.name] = weights.all;
      for (const momentName of [expAvgName, expAvgSqName]) {
        const moment = bucketArray(bucket);
        state[momentName(bucket.name)] = moment.all;
        for (const [name, view] of moment.views) moments.set(momentName(name), view);
      }
      const gradient = bucketArray(bucket);
      gradientFeeds[gradientName(bucket.name)] = gradient.all;
      for (const [name, view] of gradient.views) gradients.set(name, view);
      if (bucket.projection !== undefined) {
        projections[bucket.projection] = stackedProjections(bucket, options.projections);
      }
    }
    this.gradients = gradients;
    this.moments = moments;
    this.#gradientFeeds = gradientFeeds;
    this.#projectionFeeds = projections;
    this.#state = state;
  }

  static async create(options: OptimizerOptions): Promise<Optimizer> {
    const buckets = intoBuckets(options.tensors);
    const update = await Session.create(adamWGraph(buckets, options), options.session);
    const norm = await Session.create(squaredNormGraph(buckets), options.session);
    return new Optimizer(options, buckets, update, norm);
  }

  /** Goes on from a checkpoint's moments and step count. */
  restore(moments: ReadonlyMap<string, Float32Array>, steps: number): void {
    for (const [name, values] of this.moments) values.set(moments.get(name)!);
    this.#steps = steps;
  }

  /** The 2-norm of all gradients together, before clipping. */
  async gradientNorm(): Promise<number> {
    const { squared_norm: squared } = await this.#norm.run(this.#gradientFeeds);
    return Math.sqrt(Number(squared!.data[0]));
  }

  /**
   * One update from the current gradients.
   *
   * @param gradientNorm what {@link gradientNorm} says, for clipping (torch `clip_grad_norm_`)
   */
  async step(learningRate: number, gradientNorm: number): Promise<void> {
    const { maxGradNorm } = this.#options;
    const clip = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (gradientNorm + 1e-6)) : 1;
    this.#steps++;
    const scalars = updateScalars(this.#options, this.#steps, learningRate, clip);
    const feeds = {
      ...this.#state,
      ...this.#gradientFeeds,
      ...this.#projectionFeeds,
      ...Object.fromEntries(
        Object.entries(scalars).map(([name, value]) => [name, Float32Array.of(value)]),
      ),
    };
    // The new weights and moments are written over the old ones (see adamWGraph).
    await this.#update.run(feeds, this.#state);
  }

  async release(): Promise<void> {
    await this.#update.release();
    await this.#norm.release();
  }
}

/** The projections of a bucket's tensors, `[count, r, r]`. */
function stackedProjections(
  { tensors }: Bucket,
  projections: ReadonlyMap<string, Float32Array>,
): Float32Array {
  const parts = tensors.map(({ projection }) => projections.get(projection!)!);
  const stacked = new Float32Array(parts.length * parts[0]!.length);
  parts.forEach((part, i) => {
    stacked.set(part, i * part.length);
  });
  return stacked;
}
