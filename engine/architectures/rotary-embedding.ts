import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { DecoderConfig, Llama3RopeScaling } from './decoder-config.ts';

/** Cosines and sines of angles, `[tokens, headDim / 2]`. */
export interface Rotation {
  readonly cos: Value;
  readonly sin: Value;
}

/** The rotary position embedding of every token of a graph. */
export interface RotaryAngles {
  /** Scaled by `1 / sqrt(headDim)`, so that queries leave it ready for their scores. */
  readonly query: Rotation;
  readonly key: Rotation;
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
  const frequencies = builder.constant(inverseFrequencies(config), [1, half]);
  const column = builder.reshape(builder.cast(positions, 'float32'), [positions.shape[0]!, 1]);
  const angles = builder.mul(column, frequencies);
  const key = { cos: builder.cos(angles), sin: builder.sin(angles) };
  const scale = builder.scalar(1 / Math.sqrt(config.headDim));
  const query = { cos: builder.mul(key.cos, scale), sin: builder.mul(key.sin, scale) };
  return { query, key };
}
