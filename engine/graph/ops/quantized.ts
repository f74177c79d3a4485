import { NF4_BLOCK, nf4Blocks, nf4CodeBytes } from '../../formats/nf4.ts';
import { formatShape } from '../dim.ts';
import type { OpAttributes, OpTable, Sample } from '../op.ts';
import type { ValueType } from '../value.ts';

/** MatMulBnb4's `quant_type` of NF4; 0 is FP4. */
const QUANT_TYPE_NF4 = 1;

function requireVector(what: string, { shape }: ValueType, size: number): void {
  if (shape.length !== 1 || shape[0] !== size) {
    throw new TypeError(`the ${what} have the shape ${formatShape(shape)}, not [${size}]`);
  }
}

function sample(
  rows: number,
  inFeatures: number,
  outFeatures: number,
): Sample<OpAttributes['matmulBnb4']> {
  const elements = inFeatures * outFeatures;
  return {
    inputs: [
      { shape: [rows, inFeatures], dtype: 'float32' },
      { shape: [nf4CodeBytes(elements)], dtype: 'uint8', from: 0, to: 255 },
      { shape: [nf4Blocks(elements)], dtype: 'float32', from: 0.1 },
    ],
    attributes: { inFeatures, outFeatures },
  };
}

/** Products with weights of four bits. */
export const quantizedOps: Pick<OpTable, 'matmulBnb4'> = {
  /**
   * `x · Wᵀ`, `[tokens, in] → [tokens, out]`, with a frozen `W [out, in]` in NF4: its codes, two in
   * a byte, and the magnitudes of its blocks (com.microsoft MatMulBnb4, which makes W in the type of x
   * while it computes). In bfloat16, which CUDA alone has, NF4's values and their products with magnitudes are rounded.
   */
  matmulBnb4: {
    infer: ([x, codes, absmax], { outFeatures, inFeatures }) => {
      const { dtype } = x!;
      const isFloat = dtype === 'float32' || dtype === 'bfloat16';
      if (!isFloat || codes!.dtype !== 'uint8' || absmax!.dtype !== dtype) {
        throw new TypeError('needs rows and magnitudes of float32 or bfloat16, and uint8 codes');
      }
      if (x!.shape.length !== 2 || x!.shape[1] !== inFeatures) {
        throw new TypeError(`${formatShape(x!.shape)} is not made of rows of ${inFeatures}`);
      }
      requireVector('codes', codes!, nf4CodeBytes(outFeatures * inFeatures));
      requireVector('magnitudes', absmax!, nf4Blocks(outFeatures * inFeatures));
      return { dtype, shape: [x!.shape[0]!, outFeatures] };
    },
    emit: (onnx, value) => {
      onnx.node(
        'MatMulBnb4',
        value.inputs.map((input) => input.name),
        [value.name],
        {
          K: value.attributes.inFeatures,
          N: value.attributes.outFeatures,
          block_size: NF4_BLOCK,
          quant_type: QUANT_TYPE_NF4,
          training_mode: 1,
        },
        'com.microsoft',
      );
    },
    // Not by the op's own attribute transB = 0: the kernel of the CPU transposes all the same.
    vjp: [
      ({ builder, input, value, cotangent }) =>
        builder.gemm(cotangent, builder.dequantizeNf4(input(1), input(2), value.attributes)),
      null,
      null,
    ],
    samples: [
      sample(5, 48, 12),
      // An odd number of elements; blocks across rows.
      sample(3, 33, 5),
      sample(2, 64, 3),
      sample(1, 1, 1),
    ],
  },
};
