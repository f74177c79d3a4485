import type { OutputLayer } from '../architectures/output-layer.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import { bfloat16Stored } from './bfloat16-weights.ts';
import type { WeightParameters } from './weight-parameters.ts';

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
): (weight: string, x: Value) => Value {
  const known = new Map<Value, readonly Value[]>();
  const partsOf = (x: Value): readonly Value[] => {
    const parts = known.get(x) ?? split(builder, x, parameters.compute === 'bfloat16x2');
    known.set(x, parts);
    return parts;
  };
  const product = (x: Value, weight: string, transB: boolean): Value => {
    const { rows, scale } = withoutRowScale(x);
    const factors = [bfloat16Stored(parameters, weight), ...partsOf(rows)];
    const result = builder.apply('matmulBfloat16', factors, { transB });
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
): OutputLayer {
  const multiply = bfloat16Products(builder, parameters);
  return {
    embedding: bfloat16Stored(parameters, embedding),
    input: (hidden) => (parameters.compute === 'bfloat16' ? rounded(builder, hidden) : hidden),
    products: (input) => multiply(embedding, input),
  };
}

/** x in bfloat16, and what that leaves of it. */
function split(builder: GraphBuilder, x: Value, withRest: boolean): readonly Value[] {
  const high = builder.apply('toBfloat16', [x], {});
  if (!withRest) return [high];
  const rest = builder.apply('bfloat16Rest', [x, high], {});
  return [high, builder.apply('toBfloat16', [rest], {})];
}

/** x rounded to bfloat16, in float32; gradients pass. */
function rounded(builder: GraphBuilder, x: Value): Value {
  const value = builder.cast(builder.apply('toBfloat16', [x], {}), 'float32');
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
