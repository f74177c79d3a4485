import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { DecoderConfig, Llama3RopeScaling } from './decoder-config.ts';

/** The angles of a rotary position embedding, for every token of a graph. */
export interface RotaryAngles {
  /** `[tokens, 1, headDim / 2]` */
  readonly cos: Value;
  /** `[tokens, 1, headDim / 2]` */
  readonly sin: Value;
}

/**
 * Radians per position of each pair of features, `headDim / 2` of them: `theta^(-2i/headDim)`,
 * stretched as `ropeScaling` says (RoFormer, arXiv 2104.09864; transformers
 * `modeling_rope_utils.py` for `linear` and `llama3`).
 */
export function inverseFrequencies(config: DecoderConfig): number[] {
  const { headDim, ropeTheta, ropeScaling } = config;
  const plain = Array.from({ length: headDim / 2 }, (_, i) => 1 / ropeTheta ** ((2 * i) / headDim));
  switch (ropeScaling?.type) {
    case undefined:
      return plain;
    case 'linear':
      return plain.map((frequency) => frequency / ropeScaling.factor);
    case 'llama3':
      return plain.map((frequency) => scaleLlama3(frequency, ropeScaling));
  }
}

/** Long wavelengths are divided by `factor`, short ones kept, those between interpolated. */
function scaleLlama3(frequency: number, scaling: Llama3RopeScaling): number {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings } = scaling;
  const rotations = (originalMaxPositionEmbeddings * frequency) / (2 * Math.PI);
  if (rotations < lowFreqFactor) return frequency / factor;
  if (rotations > highFreqFactor) return frequency;
  const smooth = (rotations - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return ((1 - smooth) / factor + smooth) * frequency;
}

/** @param positions int64 `[tokens]` */
export function rotaryAngles(
  builder: GraphBuilder,
  config: DecoderConfig,
  positions: Value,
): RotaryAngles {
  const half = config.headDim / 2;
  const frequencies = builder.constant(inverseFrequencies(config), [1, 1, half]);
  const tokens = positions.shape[0]!;
  const column = builder.reshape(builder.cast(positions, 'float32'), [tokens, 1, 1]);
  const angles = builder.mul(column, frequencies);
  return { cos: builder.cos(angles), sin: builder.sin(angles) };
}

/**
 * Rotates the first half of each head's features against the second (transformers `rotate_half`).
 *
 * @param x `[tokens, heads, headDim]`
 */
export function rotate(builder: GraphBuilder, x: Value, { cos, sin }: RotaryAngles): Value {
  const headDim = Number(x.shape[2]);
  const first = builder.slice(x, 2, 0, headDim / 2);
  const second = builder.slice(x, 2, headDim / 2, headDim);
  return builder.concat(
    [
      builder.sub(builder.mul(first, cos), builder.mul(second, sin)),
      builder.add(builder.mul(second, cos), builder.mul(first, sin)),
    ],
    2,
  );
}
