import { formatShape } from '../dim.ts';
import type { OpAttributes, OpTable, Sample } from '../op.ts';
import { commonDtype } from './shape-rules.ts';

/** float32, because com.microsoft RotaryEmbedding knows no float64; it is linear in x. */
function rotarySample(
  tokens: number,
  heads: number,
  headDim: number,
): Sample<OpAttributes['rotary']> {
  const angles = { shape: [tokens, headDim / 2], dtype: 'float32' } as const;
  return {
    inputs: [{ shape: [tokens, heads, headDim], dtype: 'float32' }, angles, angles],
    attributes: {},
  };
}

/** Parts of a decoder layer that ONNX Runtime computes in one pass over their input. */
export const decoderOps: Pick<OpTable, 'rmsNorm' | 'rotary'> = {
  /**
   * `x / sqrt(mean(x²) + epsilon) · weight` over the last axis, with `weight` as long as that axis
   * (arXiv 1910.07467; ONNX Runtime SimplifiedLayerNormalization).
   */
  rmsNorm: {
    infer: (inputs) => {
      const [x, weight] = inputs;
      if (weight!.shape.length !== 1 || weight!.shape[0] !== x!.shape.at(-1)) {
        throw new TypeError(
          `the weight ${formatShape(weight!.shape)} is not as long as the last axis of ${formatShape(x!.shape)}`,
        );
      }
      return { dtype: commonDtype(inputs), shape: x!.shape };
    },
    emit: (onnx, value) =>
      onnx.node(
        'SimplifiedLayerNormalization',
        value.inputs.map(({ name }) => name),
        [value.name],
        { axis: -1, epsilon: { float: value.attributes.epsilon } },
      ),
    // With q = 1 / sqrt(mean(x²) + epsilon): dx = g·q − x·q³·mean(g·x) where g = dy·weight, and
    // dweight = dy·x·q. Only x is kept.
    vjp: [
      ({ builder: b, input, value, cotangent }) => {
        const x = input(0);
        const last = [x.shape.length - 1];
        const scale = b.inverseRms(x, value.attributes.epsilon);
        const g = b.mul(cotangent, input(1));
        const along = b.reduceMean(b.mul(g, x), last);
        const cube = b.mul(scale, b.mul(scale, scale));
        return b.sub(b.mul(g, scale), b.mul(x, b.mul(along, cube)));
      },
      ({ builder: b, input, value, cotangent }) =>
        b.mul(cotangent, b.mul(input(0), b.inverseRms(input(0), value.attributes.epsilon))),
    ],
    samples: [
      [2, 6],
      [3, 1],
      [1, 1],
      [2, 2, 5],
    ].map((shape) => ({
      inputs: [{ shape }, { shape: [shape.at(-1)!] }],
      attributes: { epsilon: 0.1 },
    })),
  },
  /**
   * Turns the first half of each head's features against the second: `(a, b) → (a·cos − b·sin,
   * b·cos + a·sin)`, for x `[tokens, heads, headDim]` and angles `[tokens, headDim / 2]`
   * (arXiv 2104.09864, transformers `rotate_half`; com.microsoft RotaryEmbedding).
   */
  rotary: {
    infer: ([x, cos, sin]) => {
      const headDim = x!.shape[2];
      for (const angles of [cos!, sin!]) {
        if (
          x!.shape.length !== 3 ||
          angles.shape.length !== 2 ||
          angles.shape[0] !== x!.shape[0] ||
          Number(angles.shape[1]) * 2 !== headDim
        ) {
          throw new TypeError(
            `${formatShape(angles.shape)} are no angles for ${formatShape(x!.shape)}`,
          );
        }
      }
      return { dtype: commonDtype([x!, cos!, sin!]), shape: x!.shape };
    },
    emit: (onnx, value) => {
      const [x, cos, sin] = value.inputs;
      const [tokens, heads, headDim] = value.shape;
      const width = Number(heads) * Number(headDim);
      const [flat, turned] = ['flat', 'turned'].map((role) => onnx.temporary(value.name, role));
      onnx.node('Reshape', [x!.name, onnx.shape([1, tokens!, width], value.shape)], [flat!]);
      // The angles are those of the tokens themselves, so that positions count from 0.
      onnx.node(
        'RotaryEmbedding',
        [flat!, onnx.integers([0]), cos!.name, sin!.name],
        [turned!],
        { num_heads: Number(heads) },
        'com.microsoft',
      );
      const shape = onnx.shape(value.shape, [1, tokens!, width]);
      onnx.node('Reshape', [turned!, shape], [value.name]);
    },
    // A rotation back; scaled angles scale it as they scaled the rotation.
    vjp: [
      ({ builder, input, cotangent }) => builder.rotary(cotangent, input(1), builder.neg(input(2))),
      null,
      null,
    ],
    samples: [rotarySample(5, 3, 8), rotarySample(1, 1, 16), rotarySample(3, 2, 2)],
  },
};
