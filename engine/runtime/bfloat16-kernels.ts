import { BFLOAT16_DOMAIN, BFLOAT16_OPS } from '../graph/ops/bfloat16.ts';
import type { Pointer } from './c-api.ts';
import { type CustomKernel, type CustomOp, customOpDomain } from './custom-ops.ts';
import type { Matrix, Onednn, Primitive } from './onednn.ts';

/**
 * The domain of the ops of `engine/graph/ops/bfloat16.ts`, computed by oneDNN; see
 * {@link customOpDomain}. Nodes of the same sizes share their primitives.
 */
export function bfloat16Domain(onednn: Onednn): Pointer {
  const pool = new PrimitivePool();
  const convert: CustomOp = {
    name: BFLOAT16_OPS.toBfloat16,
    inputs: ['float32'],
    output: 'bfloat16',
    open: (attribute) => {
      const [from, to] = matrices(attribute, 'float32', 'bfloat16');
      const kernel = pool.take('convert', [from, to], () => onednn.convert(from, to));
      return {
        shape: [from.rows, from.columns],
        compute: ([x], result) => kernel.run([x!, result]),
        release: kernel.release,
      };
    },
  };
  const rest: CustomOp = {
    name: BFLOAT16_OPS.bfloat16Rest,
    inputs: ['float32', 'bfloat16'],
    output: 'float32',
    open: (attribute) => {
      const [x, rounded] = matrices(attribute, 'float32', 'bfloat16');
      const kernel = pool.take('rest', [x], () => onednn.subtract(x, rounded, x));
      return {
        shape: [x.rows, x.columns],
        compute: (inputs, result) => kernel.run([...inputs, result]),
        release: kernel.release,
      };
    },
  };
  const product: CustomOp = {
    name: BFLOAT16_OPS.matmulBfloat16,
    inputs: ['bfloat16', 'bfloat16', 'bfloat16'],
    isLastOptional: true,
    output: 'float32',
    open: (attribute) => productKernel(onednn, pool, attribute),
  };
  return customOpDomain(BFLOAT16_DOMAIN, [convert, rest, product]);
}

function matrices(
  attribute: (name: string) => number,
  ...dtypes: readonly [Matrix['dtype'], Matrix['dtype']]
): readonly [Matrix, Matrix] {
  const size = { rows: attribute('rows'), columns: attribute('columns') };
  return [
    { dtype: dtypes[0], ...size },
    { dtype: dtypes[1], ...size },
  ];
}

/** `x · W` or `x · Wᵀ`, and what is left of x times the same. */
function productKernel(
  onednn: Onednn,
  pool: PrimitivePool,
  attribute: (name: string) => number,
): CustomKernel {
  const [rows, inner, columns] = [attribute('rows'), attribute('inner'), attribute('columns')];
  const x: Matrix = { dtype: 'bfloat16', rows, columns: inner };
  const isTransposed = attribute('transB') === 1;
  const weight: Matrix = { dtype: 'bfloat16', rows: inner, columns, isTransposed };
  const y: Matrix = { dtype: 'float32', rows, columns };
  const product = (isAdded: boolean): Primitive =>
    pool.take(isAdded ? 'add product' : 'product', [x, weight], () =>
      onednn.multiply(x, weight, y, isAdded),
    );
  const parts = attribute('parts') === 1 ? [product(false)] : [product(false), product(true)];
  return {
    shape: [rows, columns],
    compute: ([w, ...rowParts], result) => {
      parts.forEach((part, i) => {
        part.run([rowParts[i]!, w!, result]);
      });
    },
    release: () => {
      for (const part of parts) part.release();
    },
  };
}

/** Primitives that several nodes use: made for the first of them, gone with the last. */
class PrimitivePool {
  readonly #shared = new Map<string, { readonly primitive: Primitive; users: number }>();

  take(what: string, sizes: readonly Matrix[], make: () => Primitive): Primitive {
    const key = JSON.stringify([what, sizes]);
    const known = this.#shared.get(key) ?? { primitive: make(), users: 0 };
    this.#shared.set(key, known);
    known.users++;
    return {
      run: known.primitive.run,
      release: () => {
        known.users--;
        if (known.users > 0) return;
        this.#shared.delete(key);
        known.primitive.release();
      },
    };
  }
}
