import { CPU } from '../runtime/device.ts';
import type { Feeds } from '../runtime/feeds.ts';
import { newStateTensor } from '../runtime/new-state-tensor.ts';
import { Session, type SessionOptions } from '../runtime/session.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import {
  type AdamWOptions,
  adamWGraph,
  expAvgName,
  expAvgSqName,
  gradientName,
  projectionShape,
  squaredNormGraph,
  type TrainableTensor,
  type UpdateScalars,
  updateScalars,
} from './adamw.ts';
import { type Bucket, bucketTensor, intoBuckets } from './bucket.ts';

/** Scalars of an update that moves no weight. */
const STANDSTILL: UpdateScalars = {
  gradient_share: 0,
  square_share: 0,
  step_size: 0,
  epsilon: 1,
  decay: 1,
};

/** What an optimizer is made from. */
export interface OptimizerOptions extends AdamWOptions {
  readonly tensors: readonly TrainableTensor[];
  /** The tensors' initial values, whose place is taken by tensors that the optimizer updates. */
  readonly weights: Map<string, StateTensor>;
  /** Projections of the gradients, by the names that the tensors give. */
  readonly projections: ReadonlyMap<string, Float32Array>;
  /** Gradients with a larger 2-norm are scaled down to it; 0 turns this off. */
  readonly maxGradNorm: number;
  /** The device that computes is the one that keeps the state. */
  readonly session: SessionOptions;
}

/**
 * AdamW, for LoRA-FA with its projection, computed by ONNX Runtime. It owns the gradients, the two
 * moments and the step count, and from the start on the weights, which it changes in place.
 */
export class Optimizer {
  /** One tensor each, by tensor name, for the caller to fill before {@link step}. */
  readonly gradients: ReadonlyMap<string, StateTensor>;
  /** Adam's moments by the names of {@link expAvgName} and {@link expAvgSqName}. */
  readonly moments: ReadonlyMap<string, StateTensor>;
  readonly #options: OptimizerOptions;
  readonly #update: Session;
  readonly #norm: Session;
  /** What the two graphs are fed with, by input name. */
  readonly #gradientFeeds: Readonly<Record<string, StateTensor>>;
  readonly #projectionFeeds: Readonly<Record<string, StateTensor>>;
  /** Weights and moments, which an update writes over. */
  readonly #state: Readonly<Record<string, StateTensor>>;
  /** The trained tensors by name: parts of the state. */
  readonly #weights: ReadonlyMap<string, StateTensor>;
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
    const { device = CPU } = options.session;
    const gradients = new Map<string, StateTensor>();
    const moments = new Map<string, StateTensor>();
    const taken = new Map<string, StateTensor>();
    const gradientFeeds: Record<string, StateTensor> = {};
    const state: Record<string, StateTensor> = {};
    const projections: Record<string, StateTensor> = {};
    for (const bucket of buckets) {
      const weights = bucketTensor(bucket, device);
      for (const [name, part] of weights.parts) taken.set(name, part);
      state[bucket.name] = weights.all;
      for (const momentName of [expAvgName, expAvgSqName]) {
        const moment = bucketTensor(bucket, device);
        state[momentName(bucket.name)] = moment.all;
        for (const [name, part] of moment.parts) moments.set(momentName(name), part);
      }
      const gradient = bucketTensor(bucket, device);
      gradientFeeds[gradientName(bucket.name)] = gradient.all;
      for (const [name, part] of gradient.parts) gradients.set(name, part);
      if (bucket.projection !== undefined) {
        const stacked = stackedProjections(bucket, options.projections);
        projections[bucket.projection] = newStateTensor(device, projectionShape(bucket), stacked);
      }
    }
    this.gradients = gradients;
    this.moments = moments;
    this.#gradientFeeds = gradientFeeds;
    this.#projectionFeeds = projections;
    this.#state = state;
    this.#weights = taken;
  }

  static async create(options: OptimizerOptions): Promise<Optimizer> {
    const buckets = intoBuckets(options.tensors, options.session.device);
    const session = { captures: true, ...options.session };
    const update = await Session.create(adamWGraph(buckets, options), session);
    const norm = await Session.create(squaredNormGraph(buckets), session).catch(async (error) => {
      await update.release();
      throw error;
    });
    const optimizer = new Optimizer(options, buckets, update, norm);
    try {
      await optimizer.#capture();
    } catch (error) {
      await optimizer.release();
      throw error;
    }
    optimizer.#takeWeights();
    return optimizer;
  }

  /** While all weights, moments and gradients are zero, an update leaves them so. */
  async #capture(): Promise<void> {
    await this.#norm.capture(this.#gradientFeeds);
    await this.#update.capture(this.#updateFeeds(STANDSTILL), this.#state);
  }

  #takeWeights(): void {
    const { weights } = this.#options;
    for (const [name, part] of this.#weights) {
      const initial = weights.get(name)!;
      part.write(initial.read());
      initial.release();
      weights.set(name, part);
    }
  }

  /** Goes on from a checkpoint's moments and step count. */
  restore(moments: ReadonlyMap<string, Float32Array>, steps: number): void {
    for (const [name, moment] of this.moments) moment.write(moments.get(name)!);
    this.#steps = steps;
  }

  /** Makes all gradients zero. */
  clearGradients(): void {
    for (const gradient of Object.values(this.#gradientFeeds)) gradient.clear();
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
    // The new weights and moments are written over the old ones (see adamWGraph).
    await this.#update.run(this.#updateFeeds(scalars), this.#state);
  }

  #updateFeeds(scalars: UpdateScalars): Feeds {
    return {
      ...this.#state,
      ...this.#gradientFeeds,
      ...this.#projectionFeeds,
      ...Object.fromEntries(
        Object.entries(scalars).map(([name, value]) => [name, Float32Array.of(value)]),
      ),
    };
  }

  async release(): Promise<void> {
    await this.#update.release();
    await this.#norm.release();
    for (const tensors of [this.#gradientFeeds, this.#projectionFeeds, this.#state]) {
      for (const tensor of Object.values(tensors)) tensor.release();
    }
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
