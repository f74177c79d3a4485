import { BFLOAT16_OPS } from '../graph/ops/bfloat16.ts';
import { BlocksProduct } from './blocks-product.ts';
import type { CustomOp } from './custom-ops.ts';
import { MatVec } from './matvec.ts';
import { type Layout, matrix, type Onednn, type Primitive } from './onednn.ts';
import { keyOf, releaseAll, type Shared, type SharedPool } from './shared-pool.ts';

/** The ops of `engine/graph/ops/bfloat16.ts`, of which nodes of the same sizes share their primitives. */
export function bfloat16Ops(onednn: Onednn, pool: SharedPool): readonly CustomOp[] {
  const convert: CustomOp = {
    name: BFLOAT16_OPS.toBfloat16,
    inputs: ['float32'],
    output: 'bfloat16',
    open: (attribute) => {
      const [from, to] = [sized(attribute, 'float32'), sized(attribute, 'bfloat16')];
      const kernel = pool.take(keyOf('convert', from), () => onednn.convert(from, to));
      return {
        shape: to.sizes,
        compute: ([x], result) => kernel.shared.run([x!, result]),
        release: kernel.release,
      };
    },
  };
  const rest: CustomOp = {
    name: BFLOAT16_OPS.bfloat16Rest,
    inputs: ['float32', 'bfloat16'],
    output: 'float32',
    open: (attribute) => {
      const [x, rounded] = [sized(attribute, 'float32'), sized(attribute, 'bfloat16')];
      const kernel = pool.take(keyOf('rest', x), () => onednn.combine('subtract', x, rounded, x));
      return {
        shape: x.sizes,
        compute: (inputs, result) => kernel.shared.run([...inputs, result]),
        release: kernel.release,
      };
    },
  };
  const product: CustomOp = {
    name: BFLOAT16_OPS.matmulBfloat16,
    inputs: ['bfloat16', 'bfloat16', 'bfloat16'],
    isLastOptional: true,
    output: 'float32',
    open: (attribute) => {
      const { shape, parts } = productParts(onednn, pool, attribute, [false, true]);
      return {
        shape,
        compute: ([w, ...rowParts], result) => {
          parts.forEach(({ shared }, i) => {
            shared.run([rowParts[i]!, w!, result]);
          });
        },
        release: () => releaseAll(parts),
      };
    },
  };
  const addProduct: CustomOp = {
    name: BFLOAT16_OPS.addMatmulBfloat16,
    inputs: ['float32', 'bfloat16', 'bfloat16', 'bfloat16'],
    isLastOptional: true,
    isInPlace: true,
    output: 'float32',
    open: (attribute) => {
      const { shape, parts } = productParts(onednn, pool, attribute, [true, true]);
      const copy = copyOf(onednn, pool, shape);
      return {
        shape,
        compute: ([sum, w, ...rowParts], result) => {
          if (sum !== result) copy.shared.run([sum!, result]);
          parts.forEach(({ shared }, i) => {
            shared.run([rowParts[i]!, w!, result]);
          });
        },
        release: () => releaseAll([copy, ...parts]),
      };
    },
  };
  const addFloat32Product: CustomOp = {
    name: BFLOAT16_OPS.addMatmul,
    inputs: ['float32', 'float32', 'float32'],
    isInPlace: true,
    output: 'float32',
    open: (attribute) => {
      const [rows, inner, columns] = [attribute('rows'), attribute('inner'), attribute('columns')];
      const a = matrix('float32', rows, inner, attribute('transA') === 1);
      const b = matrix('float32', inner, columns, attribute('transB') === 1);
      const y = matrix('float32', rows, columns);
      const part = pool.take(keyOf('product', a, b, true), () => onednn.multiply(a, b, y, true));
      const copy = copyOf(onednn, pool, y.sizes);
      return {
        shape: y.sizes,
        compute: ([sum, left, right], result) => {
          if (sum !== result) copy.shared.run([sum!, result]);
          part.shared.run([left!, right!, result]);
        },
        release: () => releaseAll([copy, part]),
      };
    },
  };
  const matvec: CustomOp = {
    name: BFLOAT16_OPS.matvecBfloat16,
    inputs: ['float32', 'bfloat16'],
    output: 'float32',
    open: (attribute) => {
      const [inner, columns] = [attribute('inner'), attribute('columns')];
      const { shared, release } = pool.take(
        keyOf('matvec', inner, columns, onednn.threads),
        () => new MatVec(onednn, inner, columns),
      );
      return {
        shape: [1, columns],
        compute: ([x, weight], result) => shared.run(x!, weight!, result),
        release,
      };
    },
  };
  const blocksProduct: CustomOp = {
    name: BFLOAT16_OPS.matmulBlocks,
    inputs: ['bfloat16', 'uint8', 'float32'],
    output: 'float32',
    open: (attribute) => {
      const sizes = {
        rows: attribute('rows'),
        columns: attribute('columns'),
        blocks: attribute('blocks'),
        size: attribute('size'),
      };
      const { shared, release } = pool.take(
        keyOf('blocks', sizes, onednn.threads),
        () => new BlocksProduct(onednn, sizes),
      );
      return {
        shape: [sizes.rows, sizes.columns],
        compute: ([x, codes, scales], result) => shared.run(x!, codes!, scales!, result),
        release,
      };
    },
  };
  return [convert, rest, product, addProduct, addFloat32Product, matvec, blocksProduct];
}

/** A matrix of the sizes that a node names. */
function sized(attribute: (name: string) => number, dtype: Layout['dtype']): Layout {
  return matrix(dtype, attribute('rows'), attribute('columns'));
}

/**
 * `op(x) · op(W)`, and what is left of x times the same.
 *
 * @param isAdded whether each of the products is added to what is there
 */
function productParts(
  onednn: Onednn,
  pool: SharedPool,
  attribute: (name: string) => number,
  isAdded: readonly boolean[],
): { readonly shape: readonly number[]; readonly parts: readonly Shared<Primitive>[] } {
  const [rows, inner, columns] = [attribute('rows'), attribute('inner'), attribute('columns')];
  const x = matrix('bfloat16', rows, inner, attribute('transA') === 1);
  const weight = matrix('bfloat16', inner, columns, attribute('transB') === 1);
  const y = matrix('float32', rows, columns);
  const parts = isAdded
    .slice(0, attribute('parts'))
    .map((each) =>
      pool.take(keyOf('product', x, weight, each), () => onednn.multiply(x, weight, y, each)),
    );
  return { shape: y.sizes, parts };
}

/** A copy of a sum that is not to be written over. */
function copyOf(onednn: Onednn, pool: SharedPool, sizes: readonly number[]): Shared<Primitive> {
  const layout: Layout = { dtype: 'float32', sizes };
  return pool.take(keyOf('copy', layout), () => onednn.convert(layout, layout));
}
