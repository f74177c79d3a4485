import { GraphBuilder } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';

/**
 * The two AdamWs in use, by the names of transformers' `OptimizerNames`. They differ in where epsilon
 * stands and in when the weights decay, see {@link adamWGraph}:
 *
 * - `adamw_torch` is `torch.optim.AdamW`, the default of transformers' Trainer;
 * - `adamw_hf` is the one that transformers had of its own and that PEFT's `LoraFAOptimizer` is.
 */
export type AdamWForm = 'adamw_torch' | 'adamw_hf';

/** Constants of the update rule. */
export interface AdamWOptions {
  readonly form: AdamWForm;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** How much of the weights is taken off in each update, times the learning rate. */
  readonly weightDecay: number;
}

/** A tensor that is trained, and the projection of its gradient if it has one. */
export interface TrainableTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /**
   * Name of a matrix `[r, r]` that the gradient `[out, r]` is multiplied by first (LoRA-FA); with
   * more axes in front there is a matrix for each of their elements.
   */
  readonly projection?: string;
  /** False for a tensor that weight decay leaves alone. */
  readonly decays?: boolean;
}

/** Shape of the projection of a tensor's gradient. */
export function projectionShape({ shape }: Pick<TrainableTensor, 'shape'>): readonly number[] {
  const r = shape.at(-1)!;
  return [...shape.slice(0, -2), r, r];
}

/** Names of a tensor's gradient and of Adam's two moments, as graph inputs and in checkpoints. */
export const gradientName = (tensor: string): string => `grad.${tensor}`;
export const expAvgName = (tensor: string): string => `exp_avg.${tensor}`;
export const expAvgSqName = (tensor: string): string => `exp_avg_sq.${tensor}`;

/** Scalars that change from step to step, float32 `[]`. */
export interface UpdateScalars {
  /** `(1 − β1) · scale`, where `scale` is what clipping multiplies the gradients by */
  readonly gradient_share: number;
  /** `(1 − β2) · scale²` */
  readonly square_share: number;
  /** `lr · sqrt(1 − β2ᵗ) / (1 − β1ᵗ)` */
  readonly step_size: number;
  /** What is added to `sqrt(v)`: `ε`, for `adamw_torch` times `sqrt(1 − β2ᵗ)` */
  readonly epsilon: number;
  /** `1 − lr · weight_decay`; an input only where a tensor decays */
  readonly decay: number;
}

/** The scalars of step `t`, counted from 1. */
export function updateScalars(
  { form, beta1, beta2, epsilon, weightDecay }: AdamWOptions,
  t: number,
  learningRate: number,
  scale: number,
): UpdateScalars {
  const correction = Math.sqrt(1 - beta2 ** t);
  return {
    gradient_share: (1 - beta1) * scale,
    square_share: (1 - beta2) * scale ** 2,
    step_size: (learningRate * correction) / (1 - beta1 ** t),
    epsilon: form === 'adamw_torch' ? epsilon * correction : epsilon,
    decay: 1 - learningRate * weightDecay,
  };
}

/**
 * AdamW, the moments in both forms alike:
 *
 *     g ← grad (· projection)
 *     m ← β1 m + gradient_share · g,  v ← β2 v + square_share · g²
 *
 * `adamw_hf` adds ε to `sqrt(v)` as it is, and the weights decay after the update:
 *
 *     w ← decay · (w − step_size · m / (sqrt(v) + ε))
 *
 * `adamw_torch` adds it to `sqrt(v / (1 − β2ᵗ))`, and the weights decay before the update. With
 * numerator and denominator multiplied by `sqrt(1 − β2ᵗ)` that is the same with another epsilon:
 *
 *     w ← decay · w − step_size · m / (sqrt(v) + ε · sqrt(1 − β2ᵗ))
 *
 * Each input is read for the last time by an elementwise node at or before the one that makes its
 * successor, so a run may write the outputs over the inputs.
 *
 * Inputs: the tensors and their gradients, moments and projections by name, and the
 * {@link UpdateScalars}. Outputs: the new tensors and moments by name.
 */
export function adamWGraph(tensors: readonly TrainableTensor[], options: AdamWOptions): Graph {
  const { form, beta1, beta2 } = options;
  const b = new GraphBuilder();
  const scalar = (name: keyof UpdateScalars): Value => b.input(name, 'float32', []);
  const gradientShare = scalar('gradient_share');
  const squareShare = scalar('square_share');
  const stepSize = scalar('step_size');
  const epsilon = scalar('epsilon');
  const decay = tensors.some((tensor) => isDecayed(tensor, options)) ? scalar('decay') : undefined;
  const outputs: Record<string, Value> = {};
  for (const tensor of tensors) {
    const { name, shape, projection } = tensor;
    const input = (key: string): Value => b.input(key, 'float32', shape);
    const decayed = (weight: Value): Value =>
      decay !== undefined && isDecayed(tensor, options) ? b.mul(weight, decay) : weight;
    let gradient = input(gradientName(name));
    if (projection !== undefined) {
      const squares = b.input(projection, 'float32', projectionShape(tensor));
      gradient = b.matmul(gradient, squares);
    }
    const faded = (key: string, beta: number): Value => b.mul(input(key), b.scalar(beta));
    const m = b.add(faded(expAvgName(name), beta1), b.mul(gradient, gradientShare));
    const v = b.add(
      faded(expAvgSqName(name), beta2),
      b.mul(b.mul(gradient, gradient), squareShare),
    );
    const update = b.mul(b.div(m, b.add(b.sqrt(v), epsilon)), stepSize);
    outputs[name] =
      form === 'adamw_torch'
        ? b.sub(decayed(input(name)), update)
        : decayed(b.sub(input(name), update));
    outputs[expAvgName(name)] = m;
    outputs[expAvgSqName(name)] = v;
  }
  return b.finish(outputs);
}

function isDecayed({ decays = true }: TrainableTensor, { weightDecay }: AdamWOptions): boolean {
  return decays && weightDecay > 0;
}

/** The graph of `squared_norm`, float32 `[1]`: the sum of the squares of all gradients. */
export function squaredNormGraph(tensors: readonly TrainableTensor[]): Graph {
  const b = new GraphBuilder();
  const squares = tensors.map(({ name, shape }) => {
    const gradient = b.input(gradientName(name), 'float32', shape);
    const axes = shape.map((_, axis) => axis);
    return b.reshape(b.reduceSum(b.mul(gradient, gradient), axes), [1]);
  });
  // Not one sum of all: joining more than 32 of them needs the host, and a run that does cannot be captured.
  return b.finish({ squared_norm: squares.reduce((sum, square) => b.add(sum, square)) });
}
