import { formatShape } from '../dim.ts';
import type { OpTable } from '../op.ts';
import type { ValueType } from '../value.ts';
import { broadcastShapes, commonDtype } from './shape-rules.ts';

/** Swaps the last two axes. */
export function matrixTransposePerm(rank: number): number[] {
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  perm.splice(rank - 2, 2, rank - 1, rank - 2);
  return perm;
}

function requireInner(a: ValueType, b: ValueType, left: unknown, right: unknown): void {
  if (left !== right) {
    throw new TypeError(
      `inner sizes ${left} and ${right} of ${formatShape(a.shape)} and ${formatShape(b.shape)} differ`,
    );
  }
}

/** The type of `op(a) · op(b)` with broadcast leading axes. */
function productType(inputs: readonly ValueType[], transA: boolean, transB: boolean): ValueType {
  const [a, b] = inputs as [ValueType, ValueType];
  if (a.shape.length < 2 || b.shape.length < 2) throw new TypeError('both need two axes');
  const [m, k] = transA ? [-1, -2] : [-2, -1];
  const [kB, n] = transB ? [-1, -2] : [-2, -1];
  requireInner(a, b, a.shape.at(k), b.shape.at(kB));
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return { dtype: commonDtype(inputs), shape: [...batch, a.shape.at(m)!, b.shape.at(n)!] };
}

/** Matrix products. */
export const linearAlgebraOps: Pick<OpTable, 'matmul' | 'transposedMatmul' | 'gemm'> = {
  /** `[…, m, k] · […, k, n] → […, m, n]` with broadcast leading axes (ONNX MatMul). */
  matmul: {
    infer: (inputs) => productType(inputs, false, false),
    emit: (onnx, value) =>
      onnx.node('MatMul', [value.inputs[0]!.name, value.inputs[1]!.name], [value.name]),
    vjp: [
      ({ builder: b, input, cotangent }) => b.matmul(cotangent, b.matrixTranspose(input(1))),
      ({ builder: b, input, cotangent }) => b.matmul(b.matrixTranspose(input(0)), cotangent),
    ],
    samples: [
      { inputs: [{ shape: [2, 3] }, { shape: [3, 4] }], attributes: {} },
      { inputs: [{ shape: [2, 1, 2, 3] }, { shape: [3, 3, 1] }], attributes: {} },
      { inputs: [{ shape: [1, 1] }, { shape: [5, 1, 2] }], attributes: {} },
    ],
  },
  /** `op(A) · op(B)` where op swaps the last two axes or not (com.microsoft FusedMatMul). */
  transposedMatmul: {
    infer: (inputs, { transA, transB }) => productType(inputs, transA, transB),
    emit: (onnx, value) => {
      const { transA, transB } = value.attributes;
      onnx.node(
        'FusedMatMul',
        value.inputs.map((input) => input.name),
        [value.name],
        { transA: Number(transA), transB: Number(transB) },
        'com.microsoft',
      );
    },
    vjp: 'not differentiable',
    samples: [],
  },
  /** `alpha · op(A) · op(B) + C` on matrices; C is optional and broadcasts (ONNX Gemm). */
  gemm: {
    infer: (inputs, { transA, transB }) => {
      const [a, b, c] = inputs as [ValueType, ValueType, ValueType | undefined];
      if (a.shape.length !== 2 || b.shape.length !== 2) {
        throw new TypeError(
          `needs matrices, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
        );
      }
      const [m, k] = transA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
      const [kB, n] = transB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!];
      requireInner(a, b, k, kB);
      const shape = [m, n];
      if (c !== undefined && broadcastShapes(shape, c.shape).some((dim, i) => dim !== shape[i])) {
        throw new TypeError(
          `C ${formatShape(c.shape)} does not broadcast to ${formatShape(shape)}`,
        );
      }
      return { dtype: commonDtype(inputs), shape };
    },
    emit: (onnx, value) => {
      const { transA, transB, alpha } = value.attributes;
      onnx.node(
        'Gemm',
        value.inputs.map((input) => input.name),
        [value.name],
        { transA: Number(transA), transB: Number(transB), alpha: { float: alpha } },
      );
    },
    // With dY = cotangent: dA = alpha·dY·op(B)ᵀ, dB = alpha·op(A)ᵀ·dY, each transposed where the
    // operand was; dC = dY.
    vjp: [
      ({ builder, input, value, cotangent }) => {
        const { transA, transB, alpha } = value.attributes;
        return transA
          ? builder.gemm(input(1), cotangent, { transA: transB, transB: true, alpha })
          : builder.gemm(cotangent, input(1), { transB: !transB, alpha });
      },
      ({ builder, input, value, cotangent }) => {
        const { transA, transB, alpha } = value.attributes;
        return transB
          ? builder.gemm(cotangent, input(0), { transA: true, transB: transA, alpha })
          : builder.gemm(input(0), cotangent, { transA: !transA, alpha });
      },
      ({ cotangent }) => cotangent,
    ],
    samples: [
      {
        inputs: [{ shape: [2, 3] }, { shape: [3, 4] }],
        attributes: { transA: false, transB: false, alpha: 1 },
      },
      {
        inputs: [{ shape: [3, 2] }, { shape: [4, 3] }, { shape: [4] }],
        attributes: { transA: true, transB: true, alpha: 0.5 },
      },
      {
        inputs: [{ shape: [2, 1] }, { shape: [3, 1] }, { shape: [2, 3] }],
        attributes: { transA: false, transB: true, alpha: 2 },
      },
      {
        inputs: [{ shape: [3, 1] }, { shape: [3, 2] }, { shape: [1, 1] }],
        attributes: { transA: true, transB: false, alpha: -1 },
      },
    ],
  },
};
