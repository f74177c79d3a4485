import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import { type DenseLayer, denseProduct } from '../weights/base-linear.ts';
import type { LoraModule } from './lora-module.ts';

/** A layer's adapter in a graph. */
export interface AdaptedLayer {
  readonly module: LoraModule;
  /** float32 `[r, in]` */
  readonly a: Value;
  /** float32 `[out, r]` */
  readonly b: Value;
}

/**
 * Whether a layer is faster with its adapter merged. Merging writes `[out, in]` elements in the
 * forward pass and again in the backward pass; beside the layer, an adapter goes over
 * `[tokens, out]` in the one and `[tokens, in]` in the other, at the same cost for an element.
 */
export function mergePays({ inFeatures, outFeatures }: LoraModule, tokens: number): boolean {
  return tokens * (inFeatures + outFeatures) > 2 * inFeatures * outFeatures;
}

/**
 * `x (W + scaling · B A)ᵀ + b`, with a merged weight that is made when it is needed and not kept.
 * Gradients are those of the layer with its adapter beside it, in which no matrix of W's size is
 * made for a gradient: `dX = dY (W + scaling · B A)`, `dB = scaling · dYᵀ (x Aᵀ)`,
 * `dA = scaling · (dY B)ᵀ x`.
 */
export function mergedProduct(
  builder: GraphBuilder,
  x: Value,
  { weight, fanInFanOut, bias }: DenseLayer,
  { module: { scaling }, a, b }: AdaptedLayer,
): Value {
  const merged = (): Value =>
    fanInFanOut
      ? builder.gemm(a, b, { transA: true, transB: true, alpha: scaling, c: weight })
      : builder.gemm(b, a, { alpha: scaling, c: weight });
  const down = builder.gemm(x, a, { transB: true, alpha: scaling });
  const product = denseProduct(builder, x, {
    weight: merged(),
    fanInFanOut,
    bias: madeAfter(builder, down, bias),
  });
  return builder.withGradients(product, [
    { input: x, pullback: (dY) => builder.gemm(dY, merged(), { transB: fanInFanOut }) },
    { input: b, pullback: (dY, current) => builder.gemm(dY, current(down), { transA: true }) },
    {
      input: a,
      pullback: (dY, current) =>
        builder.gemm(builder.gemm(dY, b), current(x), { transA: true, alpha: scaling }),
    },
  ]);
}

/**
 * An addend that adds nothing but waits for `down`. Only the backward pass reads `down`; left to
 * itself it would be made there, and the full-width x would be kept until then.
 *
 * @returns what broadcasts to `[tokens, out]`
 */
function madeAfter(builder: GraphBuilder, down: Value, bias: Value | undefined): Value {
  const nothing = builder.mul(builder.slice(down, 1, 0, 1), builder.scalar(0));
  return bias === undefined ? nothing : builder.add(nothing, bias);
}
