import { formatShape } from '../dim.ts';
import type { Op, OpTable } from '../op.ts';
import { ownNode } from './own-domain.ts';

/** The names of these ops in `OWN_DOMAIN`. */
export const SWIGLU_OPS = {
  swiglu: 'SwiGlu',
  swigluGateGradient: 'SwiGluGateGradient',
  swigluUpGradient: 'SwiGluUpGradient',
} as const;

/** An op of float32 matrices of one size. */
function ofEqualMatrices<K extends keyof typeof SWIGLU_OPS>(op: K): Op<K> {
  return {
    infer: (inputs) => {
      const [first, ...others] = inputs.map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`);
      const [{ dtype, shape }] = inputs as [(typeof inputs)[number]];
      if (dtype !== 'float32' || shape.length !== 2 || others.some((other) => other !== first)) {
        throw new TypeError(
          `needs float32 matrices of one size, got ${[first, ...others].join(', ')}`,
        );
      }
      return { dtype, shape };
    },
    emit: (onnx, value) => {
      const [rows, columns] = value.shape.map(Number) as [number, number];
      ownNode(onnx, SWIGLU_OPS[op], value, { rows, columns });
    },
    vjp: 'not differentiable',
    samples: [],
  };
}

/**
 * The gate of an MLP (SwiGLU, arXiv 2002.05202), `silu(gate) ∘ up`, and its gradients: made of ONNX's ops
 * they go four times as often over memory.
 */
export const swigluOps: Pick<OpTable, keyof typeof SWIGLU_OPS> = {
  /** `silu(gate) ∘ up`, of gate and up. */
  swiglu: ofEqualMatrices('swiglu'),
  /** `silu′(gate) ∘ up ∘ dY`, of gate, up and dY. */
  swigluGateGradient: ofEqualMatrices('swigluGateGradient'),
  /** `silu(gate) ∘ dY`, of gate and dY. */
  swigluUpGradient: ofEqualMatrices('swigluUpGradient'),
};
