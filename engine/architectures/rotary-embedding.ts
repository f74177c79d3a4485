import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type {
  DecoderConfig,
  Llama3RopeScaling,
  LongRopeScaling,
  Rotary,
  YarnRopeScaling,
} from './decoder-config.ts';

/** Cosines and sines of angles, `[tokens, dims / 2]`. */
export interface Rotation {
  readonly cos: Value;
  readonly sin: Value;
}

/** The rotary position embedding of every token of a graph. */
export interface RotaryAngles {
  /** Multiplied by the scale of the scores, so that queries leave it ready for them. */
  readonly query: Rotation;
  readonly key: Rotation;
}

/**
 * Radians per position of each pair of features, `dims / 2` of them: `theta^(-2i/dims)`, stretched as
 * `scaling` says (RoFormer, arXiv 2104.09864; transformers `modeling_rope_utils.py`).
 *
 * @param isLong whether a text is longer than those that a LongRoPE model was first trained on
 */
export function inverseFrequencies({ dims, theta, scaling }: Rotary, isLong = false): number[] {
  const plain = Array.from({ length: dims / 2 }, (_, i) => 1 / theta ** ((2 * i) / dims));
  switch (scaling?.type) {
    case undefined:
      return plain;
    case 'linear':
      return plain.map((frequency) => frequency / scaling.factor);
    case 'llama3':
      return plain.map((frequency) => scaleLlama3(frequency, scaling));
    case 'yarn':
      return scaleYarn(plain, theta, scaling);
    case 'longrope': {
      const factors = isLong ? scaling.longFactors : scaling.shortFactors;
      return plain.map((frequency, i) => frequency / factors[i]!);
    }
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

/** Features that turn often within the old length are kept, those that turn little are divided. */
function scaleYarn(plain: readonly number[], theta: number, scaling: YarnRopeScaling): number[] {
  const { factor, betaFast, betaSlow, originalMaxPositionEmbeddings, truncate } = scaling;
  const dims = 2 * plain.length;
  const featureThatTurns = (times: number): number =>
    (dims * Math.log(originalMaxPositionEmbeddings / (times * 2 * Math.PI))) /
    (2 * Math.log(theta));
  const fast = featureThatTurns(betaFast);
  const slow = featureThatTurns(betaSlow);
  const low = Math.max(0, truncate ? Math.floor(fast) : fast);
  const limit = Math.min(dims - 1, truncate ? Math.ceil(slow) : slow);
  const high = limit === low ? low + 0.001 : limit;
  return plain.map((frequency, i) => {
    const divided = Math.min(1, Math.max(0, (i - low) / (high - low)));
    return (frequency / factor) * divided + frequency * (1 - divided);
  });
}

/** Where tokens stand. */
export interface Places {
  /** int64 `[tokens]` */
  readonly positions: Value;
  /** int64 `[]`: tokens of the text; one more than the last position unless given */
  readonly textLength?: Value | undefined;
}

/** @param scale of the scores */
export function rotaryAngles(
  builder: GraphBuilder,
  rotary: Rotary,
  { positions, textLength }: Places,
  scale: number,
): RotaryAngles {
  const column = builder.reshape(builder.cast(positions, 'float32'), [positions.shape[0]!, 1]);
  const angles = builder.mul(
    column,
    frequencyRow(builder, rotary, { positions: column, textLength }),
  );
  const magnitude = builder.scalar(attentionFactor(rotary));
  const sharper = (x: Value): Value =>
    attentionFactor(rotary) === 1 ? x : builder.mul(x, magnitude);
  const key = { cos: sharper(builder.cos(angles)), sin: sharper(builder.sin(angles)) };
  const scaled = builder.scalar(scale);
  const query = { cos: builder.mul(key.cos, scaled), sin: builder.mul(key.sin, scaled) };
  return { query, key };
}

function attentionFactor({ scaling }: Rotary): number {
  return scaling !== null && 'attentionFactor' in scaling ? scaling.attentionFactor : 1;
}

/** float32 `[1, dims / 2]` */
function frequencyRow(builder: GraphBuilder, rotary: Rotary, places: Places): Value {
  const row = (isLong: boolean): Value =>
    builder.constant(inverseFrequencies(rotary, isLong), [1, rotary.dims / 2]);
  const { scaling } = rotary;
  if (scaling?.type !== 'longrope') return row(false);
  return builder.where(isLongText(builder, scaling, places), row(true), row(false));
}

/** Whether a text is longer than those of the first training: then all of it has the long factors. */
function isLongText(
  builder: GraphBuilder,
  { originalMaxPositionEmbeddings: limit }: LongRopeScaling,
  { positions, textLength }: Places,
): Value {
  if (textLength !== undefined) {
    return builder.less(builder.scalar(limit), builder.cast(textLength, 'float32'));
  }
  const [one, zero] = [builder.scalar(1), builder.scalar(0)];
  const beyond = builder.where(builder.less(builder.scalar(limit - 1), positions), one, zero);
  return builder.less(zero, builder.reduceSum(beyond, [0, 1]));
}

/** The least number of tokens of a text that is turned by other angles; null if there is no such. */
export function longTextLength({ layers }: DecoderConfig): number | null {
  const scaling = layers[0]!.attention.rotary?.scaling;
  return scaling?.type === 'longrope' ? scaling.originalMaxPositionEmbeddings + 1 : null;
}
