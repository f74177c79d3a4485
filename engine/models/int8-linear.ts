import type { GraphBuilder } from '../graph/builder.ts';
import {
  int8Product,
  type QuantizedFactor,
  type QuantizedRows,
  quantizeRows,
} from '../graph/int8-product.ts';
import type { Value } from '../graph/value.ts';
import { INT8_NAMES } from './int8-weights.ts';
import type { Parameters } from './parameters.ts';

/**
 * `(name of a weight W, x) → x · Wᵀ`, `[tokens, in] → [tokens, out]`, in eight bits: each token of
 * x gets a scale of its own, and what several weights are multiplied with is quantized once.
 *
 * Rounding has no gradient, so that of the product it stands for is taken (straight-through, arXiv
 * 1308.3432): `dX = dY · W`, in eight bits as well. There the scales of W's rows lie along what is
 * summed over, so they go into dY before it is quantized.
 */
export function int8Products(
  builder: GraphBuilder,
  parameters: Parameters,
): (weight: string, x: Value) => Value {
  const { compute: mode } = parameters;
  const isSplit = mode !== 'int8';
  const quantized = new Map<Value, QuantizedRows>();
  const rowsOf = (x: Value): QuantizedRows => {
    const rows = quantized.get(x) ?? quantizeRows(builder, x, isSplit);
    quantized.set(x, rows);
    return rows;
  };
  const factor = (codes: string, residual: string): QuantizedFactor => ({
    codes: parameters.stored(codes),
    ...(mode === 'int8x3' && { residual: parameters.stored(residual) }),
  });
  return (weight, x) => {
    const scales = parameters.stored(INT8_NAMES.scales(weight));
    const transposed = factor(INT8_NAMES.transposed(weight), INT8_NAMES.residualTransposed(weight));
    const product = int8Product(builder, rowsOf(x), transposed, scales);
    const pullback = (cotangent: Value): Value => {
      const rows = quantizeRows(builder, builder.mul(cotangent, scales), isSplit);
      const codes = factor(INT8_NAMES.codes(weight), INT8_NAMES.residual(weight));
      return int8Product(builder, rows, codes);
    };
    return builder.withGradients(product, [{ input: x, pullback }]);
  };
}
