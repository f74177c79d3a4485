import type { OutputLayer } from '../architectures/output-layer.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import { bfloat16Stored } from './bfloat16-weights.ts';
import type { WeightParameters } from './weight-parameters.ts';

/** How matrices are rounded to bfloat16 and multiplied as such. */
export interface Bfloat16Arithmetic {
  /** float32 `[rows, n]`, rounded to nearest, in bfloat16. */
  readonly rounded: (builder: GraphBuilder, x: Value) => Value;
  /** `parts · W`, or with `transB` `parts · Wᵀ`, in float32; the parts of x add up to it. */
  readonly product: (
    builder: GraphBuilder,
    weight: Value,
    parts: readonly Value[],
    transB: boolean,
  ) => Value;
}

/** Ops of our own on the CPU, for which ONNX Runtime has no such product. */
export const OWN_ARITHMETIC: Bfloat16Arithmetic = {
  rounded: (builder, x) => builder.apply('toBfloat16', [x], {}),
  product: (builder, weight, parts, transB) =>
    builder.apply('matmulBfloat16', [weight, ...parts], { transA: false, transB }),
};

/**
 * The ops of ONNX, which CUDA computes on tensor cores: added up in float32, and the sum is rounded to bfloat16
 * once more, since what goes into `Gemm` and what comes out of it have one type. For that reason there is nothing for a second
 * part of x to add to.
 */
export const ONNX_ARITHMETIC: Bfloat16Arithmetic = {
  rounded: (builder, x) => builder.cast(x, 'bfloat16'),
  product: (builder, weight, [part], transB) =>
    builder.cast(builder.gemm(part!, weight, { transB }), 'float32'),
};

/**
 * `(name of a weight W, x) → x · Wᵀ`, `[tokens, in] → [tokens, out]`, of numbers rounded to bfloat16 and
 * added up in float32. With `bfloat16x2` x is the sum of two such numbers, which lose 2⁻¹⁷ of it at
 * most. What several weights are multiplied with is rounded once.
 *
 * Rounding has no gradient, so that of the product it stands for is taken (straight-through, arXiv
 * 1308.3432): `dX = dY · W`, in bfloat16 as well.
 */
export function bfloat16Products(
  builder: GraphBuilder,
  parameters: WeightParameters,
  arithmetic: Bfloat16Arithmetic = OWN_ARITHMETIC,
): (weight: string, x: Value) => Value {
  const known = new Map<Value, readonly Value[]>();
  const partsOf = (x: Value): readonly Value[] => {
    const parts =
      known.get(x) ?? split(builder, arithmetic, x, parameters.compute === 'bfloat16x2');
    known.set(x, parts);
    return parts;
  };
  const product = (x: Value, weight: string, transB: boolean): Value => {
    const { rows, scale } = withoutRowScale(x);
    const stored = bfloat16Stored(parameters, weight);
    const result = arithmetic.product(builder, stored, partsOf(rows), transB);
    return scale === undefined ? result : builder.mul(result, scale);
  };
  const forward = (weight: string, x: Value): Value =>
    parameters.compute === 'bfloat16x2' && x.shape[0] === 1
      ? builder.apply('matvecBfloat16', [x, bfloat16Stored(parameters, weight)], {})
      : product(x, weight, true);
  return (weight, x) =>
    builder.withGradients(forward(weight, x), [
      { input: x, pullback: (cotangent) => product(cotangent, weight, false) },
    ]);
}

/** The output layer in bfloat16; see {@link bfloat16Products}. */
export function bfloat16OutputLayer(
  builder: GraphBuilder,
  parameters: WeightParameters,
  embedding: string,
  arithmetic: Bfloat16Arithmetic = OWN_ARITHMETIC,
): OutputLayer {
  const multiply = bfloat16Products(builder, parameters, arithmetic);
  return {
    embedding: bfloat16Stored(parameters, embedding),
    input: (hidden) =>
      parameters.compute === 'bfloat16' ? rounded(builder, arithmetic, hidden) : hidden,
    products: (input) => multiply(embedding, input),
  };
}

/** x in bfloat16, and what that leaves of it. */
function split(
  builder: GraphBuilder,
  arithmetic: Bfloat16Arithmetic,
  x: Value,
  withRest: boolean,
): readonly Value[] {
  const high = arithmetic.rounded(builder, x);
  if (!withRest) return [high];
  const rest = builder.apply('bfloat16Rest', [x, high], {});
  return [high, arithmetic.rounded(builder, rest)];
}

/** x rounded to bfloat16, in float32; gradients pass. */
function rounded(builder: GraphBuilder, arithmetic: Bfloat16Arithmetic, x: Value): Value {
  const value = builder.cast(arithmetic.rounded(builder, x), 'float32');
  return builder.withGradients(value, [{ input: x, pullback: (cotangent) => cotangent }]);
}

/**
 * Rows and a number for each that they are yet to be multiplied with: what is scaled after the product
 * has far fewer columns where rows are gradients of logits.
 */
function withoutRowScale(x: Value): { readonly rows: Value; readonly scale?: Value } {
  if (x.op !== 'mul') return { rows: x };
  const scale = x.inputs.find(({ shape }) => shape.length === 2 && shape[1] === 1);
  const rows = x.inputs.find((input) => input !== scale && input.shape.length === 2);
  const isScaled =
    scale !== undefined && rows?.shape[1] === x.shape[1] && rows?.shape[0] === scale.shape[0];
  return isScaled ? { rows: rows!, scale } : { rows: x };
}
