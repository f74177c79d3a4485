import { GraphBuilder } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';

/** Constants of the update rule. */
export interface AdamWOptions {
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
  /** `1 − lr · weight_decay`; an input only where weights decay */
  readonly decay: number;
}

/** The scalars of step `t`, counted from 1. */
export function updateScalars(
  { beta1, beta2, weightDecay }: AdamWOptions,
  t: number,
  learningRate: number,
  scale: number,
): UpdateScalars {
  return {
    gradient_share: (1 - beta1) * scale,
    square_share: (1 - beta2) * scale ** 2,
    step_size: (learningRate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t),
    decay: 1 - learningRate * weightDecay,
  };
}

/**
 * AdamW as in PEFT's `LoraFAOptimizer` (adamw-hf): epsilon is added to `sqrt(v)` before the bias
 * correction, and the weights decay after the update:
 *
 *     g ← grad (· projection)
 *     m ← β1 m + gradient_share · g,  v ← β2 v + square_share · g²
 *     w ← decay · (w − step_size · m / (sqrt(v) + ε))
 *
 * Each input is read for the last time by an elementwise node at or before the one that makes its
 * successor, so a run may write the outputs over the inputs.
 *
 * Inputs: the tensors and their gradients, moments and projections by name, and the
 * {@link UpdateScalars}. Outputs: the new tensors and moments by name.
 */
export function adamWGraph(tensors: readonly TrainableTensor[], options: AdamWOptions): Graph {
  const { beta1, beta2, epsilon, weightDecay } = options;
  const b = new GraphBuilder();
  const scalar = (name: keyof UpdateScalars): Value => b.input(name, 'float32', []);
  const gradientShare = scalar('gradient_share');
  const squareShare = scalar('square_share');
  const stepSize = scalar('step_size');
  const decay = weightDecay === 0 ? undefined : scalar('decay');
  const outputs: Record<string, Value> = {};
  for (const { name, shape, projection } of tensors) {
    const input = (key: string): Value => b.input(key, 'float32', shape);
    let gradient = input(gradientName(name));
    if (projection !== undefined) {
      const r = shape.at(-1)!;
      const squares = [...shape.slice(0, -2), r, r];
      gradient = b.matmul(gradient, b.input(projection, 'float32', squares));
    }
    const decayed = (key: string, beta: number): Value => b.mul(input(key), b.scalar(beta));
    const m = b.add(decayed(expAvgName(name), beta1), b.mul(gradient, gradientShare));
    const v = b.add(
      decayed(expAvgSqName(name), beta2),
      b.mul(b.mul(gradient, gradient), squareShare),
    );
    const direction = b.div(m, b.add(b.sqrt(v), b.scalar(epsilon)));
    const moved = b.sub(input(name), b.mul(direction, stepSize));
    outputs[name] = decay === undefined ? moved : b.mul(moved, decay);
    outputs[expAvgName(name)] = m;
    outputs[expAvgSqName(name)] = v;
  }
  return b.finish(outputs);
}

/** The graph of `squared_norm`, float32 `[1]`: the sum of the squares of all gradients. */
export function squaredNormGraph(tensors: readonly TrainableTensor[]): Graph {
  const b = new GraphBuilder();
  const squares = tensors.map(({ name, shape }) => {
    const gradient = b.input(gradientName(name), 'float32', shape);
    const axes = shape.map((_, axis) => axis);
    return b.reshape(b.reduceSum(b.mul(gradient, gradient), axes), [1]);
  });
  return b.finish({ squared_norm: b.reduceSum(b.concat(squares, 0), [0]) });
}
