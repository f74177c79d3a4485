import { formatShape, type Shape } from '../dim.ts';
import type { DType } from '../dtype.ts';
import type { Op, OpTable } from '../op.ts';
import type { ValueType } from '../value.ts';
import { requireBlocks } from './blockwise.ts';
import { ownNode } from './own-domain.ts';

/** The names of these ops in `OWN_DOMAIN`. */
export const BFLOAT16_OPS = {
  toBfloat16: 'ToBfloat16',
  bfloat16Rest: 'Bfloat16Rest',
  matmulBfloat16: 'MatMulBfloat16',
  matmulBlocks: 'MatMulBlocks',
  addMatmulBfloat16: 'AddMatMulBfloat16',
  addMatmul: 'AddMatMul',
  matvecBfloat16: 'MatVecBfloat16',
} as const;

function requireMatrix(x: ValueType, dtype: DType): void {
  if (x.dtype !== dtype || x.shape.length !== 2) {
    throw new TypeError(`needs a matrix of ${dtype}, got ${x.dtype} ${formatShape(x.shape)}`);
  }
}

/** An op that goes from number to number; the kernel is made for the sizes that it is told. */
function ofMatrix<K extends 'toBfloat16' | 'bfloat16Rest'>(
  op: K,
  inputs: readonly DType[],
  output: DType,
): Op<K> {
  return {
    infer: (given: readonly ValueType[]) => {
      inputs.forEach((dtype, i) => {
        requireMatrix(given[i]!, dtype);
      });
      const [first, ...others] = given.map(({ shape }) => formatShape(shape));
      if (others.some((shape) => shape !== first)) {
        throw new TypeError(`the shapes ${[first, ...others].join(' and ')} differ`);
      }
      return { dtype: output, shape: given[0]!.shape };
    },
    emit: (onnx, value) => {
      const [rows, columns] = value.shape.map(Number) as [number, number];
      ownNode(onnx, BFLOAT16_OPS[op], value, { rows, columns });
    },
    vjp: 'not differentiable',
    samples: [],
  };
}

/** Products of bfloat16 numbers, added up in float32, and products that are added where a sum lies. */
export const bfloat16Ops: Pick<OpTable, keyof typeof BFLOAT16_OPS> = {
  /** Rounds to nearest, ties to even: float32 `[rows, n]` → bfloat16 `[rows, n]`. */
  toBfloat16: ofMatrix('toBfloat16', ['float32'], 'bfloat16'),
  /** What rounding took: `x − rounded`, float32 `[rows, n]`. */
  bfloat16Rest: ofMatrix('bfloat16Rest', ['float32', 'bfloat16'], 'float32'),
  /**
   * `op(x) · op(W)` of bfloat16 numbers, in float32, `[rows, columns]`: `transA` transposes x, `transB` W.
   * The inputs are W and x, or W and two parts that x is the sum of.
   */
  matmulBfloat16: {
    infer: (factors, { transA, transB }) => ({
      dtype: 'float32',
      shape: productShape(factors, transA, transB),
    }),
    emit: emitProduct('matmulBfloat16', 0),
    vjp: 'not differentiable',
    samples: [],
  },
  /**
   * `x · Wᵀ` of a bfloat16 x `[rows, in]` and a W in blocks of codes of 8 bits, as `matmulNBits` has it, that is rounded
   * to bfloat16: codes `[columns, blocks, size]` and scales `[columns, blocks]`, in float32: `[rows, columns]`.
   */
  matmulBlocks: {
    infer: ([x, codes, scales]) => {
      requireMatrix(x!, 'bfloat16');
      const { rows: columns, count, size } = requireBlocks(codes!, scales!, 8);
      if (x!.shape[1] !== count * size) {
        throw new TypeError(`${shapes([x!, codes!])} do not multiply`);
      }
      return { dtype: 'float32', shape: [x!.shape[0]!, columns] };
    },
    emit: (onnx, value) => {
      const [rows] = value.shape.map(Number) as [number];
      const [columns, blocks, size] = value.inputs[1]!.shape.map(Number) as [
        number,
        number,
        number,
      ];
      ownNode(onnx, BFLOAT16_OPS.matmulBlocks, value, { rows, columns, blocks, size });
    },
    vjp: 'not differentiable',
    samples: [],
  },
  /**
   * A sum, float32 `[rows, columns]`, and a product as {@link bfloat16Ops.matmulBfloat16} makes it of
   * the other inputs. It is written over the sum where nothing else reads that.
   */
  addMatmulBfloat16: {
    infer: ([sum, ...factors], { transA, transB }) =>
      sumType(sum!, productShape(factors, transA, transB)),
    emit: emitProduct('addMatmulBfloat16', 1),
    vjp: 'not differentiable',
    samples: [],
  },
  /** The same with a product of float32 matrices, `op(A) · op(B)`. */
  addMatmul: {
    infer: ([sum, a, b], { transA, transB }) => {
      requireMatrix(a!, 'float32');
      requireMatrix(b!, 'float32');
      const [rows, inner] = transA ? a!.shape.toReversed() : a!.shape;
      const [other, columns] = transB ? b!.shape.toReversed() : b!.shape;
      if (inner !== other) throw new TypeError(`${shapes([a!, b!])} do not multiply`);
      return sumType(sum!, [rows!, columns!]);
    },
    emit: (onnx, value) => {
      const { transA, transB } = value.attributes;
      const [rows, columns] = value.shape.map(Number) as [number, number];
      ownNode(onnx, BFLOAT16_OPS.addMatmul, value, {
        rows,
        columns,
        inner: Number(value.inputs[1]!.shape[transA ? 0 : 1]),
        transA: Number(transA),
        transB: Number(transB),
      });
    },
    vjp: 'not differentiable',
    samples: [],
  },
  /**
   * `x · Wᵀ` of one row of float32 numbers `[1, n]` and a bfloat16 W `[columns, n]`, in float32. x is the sum
   * of two bfloat16 numbers, as for {@link bfloat16Ops.matmulBfloat16}, but W is read once for both: it is
   * reading that takes the time.
   */
  matvecBfloat16: {
    infer: ([x, weight]) => {
      requireMatrix(x!, 'float32');
      requireMatrix(weight!, 'bfloat16');
      const [columns, inner] = weight!.shape;
      if (x!.shape[0] !== 1 || x!.shape[1] !== inner) {
        throw new TypeError(`${shapes([x!, weight!])} do not multiply`);
      }
      return { dtype: 'float32', shape: [1, columns!] };
    },
    emit: (onnx, value) => {
      const [columns, inner] = value.inputs[1]!.shape.map(Number) as [number, number];
      ownNode(onnx, BFLOAT16_OPS.matvecBfloat16, value, { columns, inner });
    },
    vjp: 'not differentiable',
    samples: [],
  },
};

/** The shape of `op(x) · op(W)` or `op(x + rest) · op(W)`, or a `TypeError` that says what does not fit. */
function productShape(
  [weight, ...parts]: readonly ValueType[],
  transA: boolean,
  transB: boolean,
): Shape {
  for (const each of [weight!, ...parts]) requireMatrix(each, 'bfloat16');
  const [inner, columns] = transB ? weight!.shape.toReversed() : weight!.shape;
  const sizes = parts.map(({ shape }) => (transA ? shape.toReversed() : shape));
  const rows = sizes[0]![0]!;
  if (sizes.some((size) => size[1] !== inner || size[0] !== rows)) {
    throw new TypeError(`${shapes(parts)} and ${formatShape(weight!.shape)} do not multiply`);
  }
  return [rows, columns!];
}

function sumType(sum: ValueType, shape: Shape): ValueType {
  requireMatrix(sum, 'float32');
  if (formatShape(sum.shape) === formatShape(shape)) return { dtype: 'float32', shape };
  throw new TypeError(`a product ${formatShape(shape)} is not added to ${formatShape(sum.shape)}`);
}

function shapes(values: readonly ValueType[]): string {
  return values.map(({ shape }) => formatShape(shape)).join(' and ');
}

/** @param first index of the weight among the inputs */
function emitProduct<K extends 'matmulBfloat16' | 'addMatmulBfloat16'>(
  op: K,
  first: number,
): Op<K>['emit'] {
  return (onnx, value) => {
    const { inputs, attributes } = value;
    const [rows, columns] = value.shape.map(Number) as [number, number];
    ownNode(onnx, BFLOAT16_OPS[op], value, {
      rows,
      columns,
      inner: Number(inputs[first + 1]!.shape[attributes.transA ? 0 : 1]),
      parts: inputs.length - first - 1,
      transA: Number(attributes.transA),
      transB: Number(attributes.transB),
    });
  };
}
