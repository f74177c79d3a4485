import { hadamardBlock, hadamardMatrix } from '../formats/hadamard.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import { int8Product, type QuantizedRows, quantizeRows } from '../graph/int8-product.ts';
import type { Value } from '../graph/value.ts';
import { INT8_NAMES, type Int8Direction } from './int8-weights.ts';
import type { WeightParameters } from './weight-parameters.ts';

/**
 * `(name of a weight W, x) → x · Wᵀ`, `[tokens, in] → [tokens, out]`, in eight bits: each token of
 * x is rotated and gets a scale of its own, and what several weights are multiplied with is
 * quantized once.
 *
 * Rounding has no gradient, so that of the product it stands for is taken (straight-through, arXiv
 * 1308.3432): `dX = dY · W`, in eight bits as well.
 */
export function int8Products(
  builder: GraphBuilder,
  parameters: WeightParameters,
): (weight: string, x: Value) => Value {
  const rotate = rotation(builder);
  const quantized = new Map<Value, QuantizedRows>();
  const rowsOf = (x: Value): QuantizedRows => {
    const rows = quantized.get(x) ?? quantizeRows(builder, rotate(x));
    quantized.set(x, rows);
    return rows;
  };
  const product = (x: Value, weight: string, direction: Int8Direction): Value => {
    const stored = (part: keyof typeof INT8_NAMES): Value =>
      parameters.stored(INT8_NAMES[part](weight, direction));
    return int8Product(builder, rowsOf(x), {
      scales: stored('scales'),
      codes: stored('codes'),
    });
  };
  return (weight, x) =>
    builder.withGradients(product(x, weight, 'forward'), [
      { input: x, pullback: (cotangent) => product(cotangent, weight, 'backward') },
    ]);
}

/** Rotates rows `[tokens, n]` as `rotateRows` of `engine/formats/hadamard.ts` does. */
function rotation(builder: GraphBuilder): (x: Value) => Value {
  const matrices = new Map<number, Value>();
  return (x) => {
    const [tokens, columns] = x.shape.map(Number) as [number, number];
    const block = hadamardBlock(columns);
    if (block === 1) return x;
    const matrix = matrices.get(block) ?? builder.constant(hadamardMatrix(block), [block, block]);
    matrices.set(block, matrix);
    const blocks = builder.reshape(x, [(tokens * columns) / block, block]);
    return builder.reshape(builder.gemm(blocks, matrix), [tokens, columns]);
  };
}
