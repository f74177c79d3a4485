import { formatShape } from '../dim.ts';
import type { DType } from '../dtype.ts';
import type { Op, OpTable } from '../op.ts';
import { ownNode } from './own-domain.ts';

/** The types of numbers that there are these ops for. */
export const SWIGLU_TYPES = ['float32', 'bfloat16'] as const;

export type SwigluType = (typeof SWIGLU_TYPES)[number];

/** The names of these ops in `OWN_DOMAIN`; see {@link swigluName}. */
export const SWIGLU_OPS = {
  swiglu: 'SwiGlu',
  swigluGateGradient: 'SwiGluGateGradient',
  swigluUpGradient: 'SwiGluUpGradient',
} as const;

export type SwigluOp = keyof typeof SWIGLU_OPS;

/** The name of one of these ops for numbers of a type. */
export function swigluName(op: SwigluOp, dtype: SwigluType): string {
  return dtype === 'float32' ? SWIGLU_OPS[op] : `${SWIGLU_OPS[op]}Bfloat16`;
}

function isSwigluType(dtype: DType): dtype is SwigluType {
  return (SWIGLU_TYPES as readonly DType[]).includes(dtype);
}

/** An op of matrices of one size and type. */
function ofEqualMatrices<K extends SwigluOp>(op: K): Op<K> {
  return {
    infer: (inputs) => {
      const [first, ...others] = inputs.map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`);
      const [{ dtype, shape }] = inputs as [(typeof inputs)[number]];
      if (!isSwigluType(dtype) || shape.length !== 2 || others.some((other) => other !== first)) {
        throw new TypeError(
          `needs matrices of one size in ${SWIGLU_TYPES.join(' or ')}, got ${[first, ...others].join(', ')}`,
        );
      }
      return { dtype, shape };
    },
    emit: (onnx, value) => {
      const [rows, columns] = value.shape.map(Number) as [number, number];
      ownNode(onnx, swigluName(op, value.dtype as SwigluType), value, { rows, columns });
    },
    vjp: 'not differentiable',
    samples: [],
  };
}

/**
 * The gate of an MLP (SwiGLU, arXiv 2002.05202), `silu(gate) ∘ up`, and its gradients: made of ONNX's ops
 * they go four times as often over memory.
 */
export const swigluOps: Pick<OpTable, SwigluOp> = {
  /** `silu(gate) ∘ up`, of gate and up. */
  swiglu: ofEqualMatrices('swiglu'),
  /** `silu′(gate) ∘ up ∘ dY`, of gate, up and dY. */
  swigluGateGradient: ofEqualMatrices('swigluGateGradient'),
  /** `silu(gate) ∘ dY`, of gate and dY. */
  swigluUpGradient: ofEqualMatrices('swigluUpGradient'),
};
