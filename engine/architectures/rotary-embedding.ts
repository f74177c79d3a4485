import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type {
  DecoderConfig,
  DynamicRopeScaling,
  Llama3RopeScaling,
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
 * @param textLength tokens of the text, of which LongRoPE and dynamic scaling make what they are
 */
export function inverseFrequencies({ dims, theta, scaling }: Rotary, textLength = 0): number[] {
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
    case 'dynamic': {
      const stretch = dynamicStretch(scaling, textLength);
      return plain.map((frequency, i) => frequency * stretch ** dynamicExponent(i, dims));
    }
    case 'longrope': {
      const isLong = textLength > scaling.originalMaxPositionEmbeddings;
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

/** What the base is multiplied by, but for an exponent: 1 up to the old length. */
function dynamicStretch(
  { factor, originalMaxPositionEmbeddings: old }: DynamicRopeScaling,
  textLength: number,
): number {
  return (factor * Math.max(textLength, old)) / old - (factor - 1);
}

/** Of the stretch, in the frequency of a pair: that of the base is `dims / (dims - 2)`. */
function dynamicExponent(pair: number, dims: number): number {
  return (-2 * pair) / (dims - 2);
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
  const scaled = queryScale(builder, rotary, positions, scale);
  const query = { cos: builder.mul(key.cos, scaled), sin: builder.mul(key.sin, scaled) };
  return { query, key };
}

/** What queries are multiplied by, float32 `[]` or `[tokens, 1]`. */
function queryScale(
  builder: GraphBuilder,
  { growingQueries }: Rotary,
  positions: Value,
  scale: number,
): Value {
  const scaled = builder.scalar(scale);
  if (growingQueries === null) return scaled;
  const { beta, every } = growingQueries;
  const whole = builder.div(positions, builder.scalar(every, 'int64'));
  const times = builder.reshape(builder.cast(whole, 'float32'), [positions.shape[0]!, 1]);
  const one = builder.scalar(1);
  const growth = builder.mul(builder.log(builder.add(times, one)), builder.scalar(beta));
  return builder.mul(builder.add(growth, one), scaled);
}

function attentionFactor({ scaling }: Rotary): number {
  return scaling !== null && 'attentionFactor' in scaling ? scaling.attentionFactor : 1;
}

/** float32 `[1, dims / 2]` */
function frequencyRow(builder: GraphBuilder, rotary: Rotary, places: Places): Value {
  const { dims, scaling } = rotary;
  const row = (numbers: readonly number[]): Value => builder.constant(numbers, [1, dims / 2]);
  const known = row(inverseFrequencies(rotary));
  switch (scaling?.type) {
    case 'longrope': {
      const limit = scaling.originalMaxPositionEmbeddings;
      const isLong = builder.less(builder.scalar(limit), lengthOfText(builder, places));
      return builder.where(isLong, row(inverseFrequencies(rotary, limit + 1)), known);
    }
    case 'dynamic': {
      const exponents = row(inverseFrequencies(rotary).map((_, i) => dynamicExponent(i, dims)));
      const stretch = stretchOf(builder, scaling, lengthOfText(builder, places));
      return builder.mul(known, builder.exp(builder.mul(exponents, builder.log(stretch))));
    }
    default:
      return known;
  }
}

/** {@link dynamicStretch} of a length that a run knows. */
function stretchOf(
  builder: GraphBuilder,
  { factor, originalMaxPositionEmbeddings: old }: DynamicRopeScaling,
  length: Value,
): Value {
  const one = builder.scalar(1);
  const beyond = builder.sub(
    builder.mul(length, builder.scalar(factor / old)),
    builder.scalar(factor - 1),
  );
  return builder.where(builder.less(one, beyond), beyond, one);
}

/** Tokens of the longest text, float32 that broadcasts to `[1, 1]`. */
function lengthOfText(builder: GraphBuilder, { positions, textLength }: Places): Value {
  if (textLength !== undefined) return builder.cast(textLength, 'float32');
  return builder.add(builder.reduceMax(positions, [0, 1]), builder.scalar(1));
}

/** Whether angles are others in a longer text, so that a graph for parts of one has to be told its length. */
export function dependsOnTextLength({ layers }: DecoderConfig): boolean {
  return layers.some(({ attention: { rotary } }) => {
    const type = rotary?.scaling?.type;
    return type === 'longrope' || type === 'dynamic';
  });
}

/**
 * The least number of tokens of a text that is read again when it grows to it, since it is turned by
 * other angles then; null if there is no such. Where they change with every token (dynamic scaling),
 * transformers leaves what it has read as it is, and so does this.
 */
export function longTextLength({ layers }: DecoderConfig): number | null {
  const scaling = layers[0]!.attention.rotary?.scaling;
  return scaling?.type === 'longrope' ? scaling.originalMaxPositionEmbeddings + 1 : null;
}
