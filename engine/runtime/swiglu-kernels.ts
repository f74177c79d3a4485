import { SWIGLU_TYPES, type SwigluType, swigluName } from '../graph/ops/swiglu.ts';
import type { CustomOp } from './custom-ops.ts';
import { type Layout, matrix, type Onednn, type Primitive } from './onednn.ts';
import { keyOf, releaseAll, type Shared, type SharedPool } from './shared-pool.ts';

/** The ops of `engine/graph/ops/swiglu.ts`. */
export function swigluOps(onednn: Onednn, pool: SharedPool): readonly CustomOp[] {
  return SWIGLU_TYPES.flatMap((dtype) => opsOf(dtype, onednn, pool));
}

function opsOf(dtype: SwigluType, onednn: Onednn, pool: SharedPool): readonly CustomOp[] {
  const take = (
    what: string,
    attribute: (name: string) => number,
    make: (x: Layout) => Primitive,
  ): Shared<Primitive> & { readonly shape: readonly number[] } => {
    const layout = matrix(dtype, attribute('rows'), attribute('columns'));
    return { shape: layout.sizes, ...pool.take(keyOf(what, layout), () => make(layout)) };
  };
  const times = (attribute: (name: string) => number) =>
    take('times', attribute, (x) => onednn.combine('multiply', x, x, x));
  /** `silu(a) ∘ b` */
  const product = (name: string): CustomOp => ({
    name,
    inputs: [dtype, dtype],
    output: dtype,
    open: (attribute) => {
      const swish = take('swish', attribute, (x) => onednn.swish(x, x));
      const multiply = times(attribute);
      return {
        shape: swish.shape,
        compute: ([a, b], result) => {
          swish.shared.run([a!, result]);
          multiply.shared.run([result, b!, result]);
        },
        release: () => releaseAll([swish, multiply]),
      };
    },
  });
  const gateGradient: CustomOp = {
    name: swigluName('swigluGateGradient', dtype),
    inputs: [dtype, dtype, dtype],
    output: dtype,
    open: (attribute) => {
      const multiply = times(attribute);
      const slope = take('swish gradient', attribute, (x) => onednn.swishGradient(x, x, x));
      return {
        shape: slope.shape,
        compute: ([gate, up, gradient], result) => {
          multiply.shared.run([up!, gradient!, result]);
          slope.shared.run([gate!, result, result]);
        },
        release: () => releaseAll([multiply, slope]),
      };
    },
  };
  return [
    product(swigluName('swiglu', dtype)),
    product(swigluName('swigluUpGradient', dtype)),
    gateGradient,
  ];
}
