import { gradients } from '../../../engine/graph/autodiff.ts';
import type { GraphBuilder } from '../../../engine/graph/builder.ts';
import type { Value } from '../../../engine/graph/value.ts';

/** `a · b`, of which b may be given transposed, in float64. */
export function exactProduct(
  a: Float32Array,
  b: Float32Array,
  [rows, inner, columns]: readonly [number, number, number],
  isTransposed: boolean,
): number[] {
  return Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum += a[row * inner + k]! * b[isTransposed ? column * inner + k : k * columns + column]!;
    }
    return sum;
  });
}

/** The gradient for x of a loss over a product, kept and computed again; and the op names of the latter. */
export function recomputedGradients(
  builder: GraphBuilder,
  multiply: (x: Value) => Value,
  x: Value,
  target: Value,
): { readonly kept: Value; readonly recomputed: Value; readonly made: readonly string[] } {
  const loss = (product: Value): Value => builder.reduceSum(builder.mul(product, target), [0, 1]);
  const squared = (input: Value): Value => {
    const y = multiply(builder.silu(input));
    return builder.mul(y, y);
  };
  const kept = gradients(builder, loss(squared(x)), [x]).get(x)!;
  const again = builder.add(x, builder.scalar(0));
  const region = builder.recomputed(() => squared(again));
  const before = builder.values.length;
  const recomputed = gradients(builder, loss(region), [again]).get(again)!;
  return { kept, recomputed, made: builder.values.slice(before).map(({ op }) => op) };
}
