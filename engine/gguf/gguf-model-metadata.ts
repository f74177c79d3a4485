import type { DecoderConfig, Rotary } from '../architectures/decoder-config.ts';
import { FAMILIES } from '../architectures/families.ts';
import { float32, type GgufValue, uint32 } from '../architectures/gguf-conventions.ts';
import { inverseFrequencies } from '../architectures/rotary-embedding.ts';
import type { JsonObject } from '../json-file.ts';

/** The name of a decoder's architecture in GGUF files; undefined where none is written. */
export function ggufArchitecture({ family }: DecoderConfig): string | undefined {
  return conventionsOf(family)?.architecture;
}

function conventionsOf(family: string) {
  return FAMILIES.find(({ modelType }) => modelType === family)?.gguf ?? null;
}

/**
 * What llama.cpp is told of a decoder, under its keys: the common ones, and those of its family in
 * their place. llama.cpp's converter leaves out some that are the same by default.
 *
 * @param configJson its `config.json`, for what only positions that are stretched by YaRN have
 */
export function ggufModelMetadata(
  config: DecoderConfig,
  configJson: JsonObject,
): Map<string, GgufValue> {
  const ofText = (configJson['text_config'] ?? configJson) as JsonObject;
  const { layers, norm, hiddenSize, maxPositionEmbeddings, vocabSize } = config;
  const { attention } = layers[0]!;
  const { rotary, nearby } = rotariesOf(config);
  const entries: Record<string, GgufValue | undefined> = {
    block_count: uint32(layers.length),
    context_length: uint32(maxPositionEmbeddings),
    embedding_length: uint32(hiddenSize),
    ...widthEntries(config, ofText),
    vocab_size: uint32(vocabSize),
    'attention.head_count': uint32(attention.numHeads),
    'attention.head_count_kv': uint32(attention.numKeyValueHeads),
    'attention.key_length': uint32(attention.headDim),
    'attention.value_length': uint32(attention.headDim),
    [norm.kind === 'rms' ? 'attention.layer_norm_rms_epsilon' : 'attention.layer_norm_epsilon']:
      float32(norm.epsilon),
    ...(rotary && rotaryEntries(rotary, ofText)),
    'rope.freq_base_swa': nearby && float32(nearby.theta),
    ...conventionsOf(config.family)?.metadata?.(config),
  };
  const prefix = ggufArchitecture(config);
  return new Map(
    Object.entries(entries).flatMap(([key, value]): [string, GgufValue][] =>
      value === undefined ? [] : [[`${prefix}.${key}`, value]],
    ),
  );
}

/** How wide the MLPs of layers and of experts are, and how many experts there are. */
function widthEntries(
  { layers }: DecoderConfig,
  configJson: JsonObject,
): Record<string, GgufValue | undefined> {
  const parts = layers.map(({ mlp }) => mlp);
  const mixture = parts.find((part) => part.kind === 'experts');
  const whole = parts.find((part) => part.kind !== 'experts')?.down.inFeatures;
  // Where every layer has experts, that of the others is one that the model could have.
  const width = whole ?? Number(configJson['intermediate_size']);
  const expertWidth = mixture?.experts[0]?.down.inFeatures;
  return {
    feed_forward_length: uint32(width),
    expert_count: mixture && uint32(mixture.experts.length),
    expert_used_count: mixture && uint32(mixture.expertsPerToken),
    expert_feed_forward_length:
      expertWidth === undefined || expertWidth === width ? undefined : uint32(expertWidth),
  };
}

/** The rotary embedding of layers that see everything, and that of layers that slide where it is another. */
function rotariesOf({ layers }: DecoderConfig): {
  readonly rotary: Rotary | undefined;
  readonly nearby: Rotary | undefined;
} {
  const all = layers.flatMap(({ attention: { rotary, slidingWindow } }) =>
    rotary === null ? [] : [{ rotary, slides: slidingWindow !== null }],
  );
  const rotary = (all.find(({ slides }) => !slides) ?? all[0])?.rotary;
  return { rotary, nearby: all.find((each) => each.rotary !== rotary)?.rotary };
}

function rotaryEntries(
  { dims, theta, scaling }: Rotary,
  configJson: JsonObject,
): Record<string, GgufValue | undefined> {
  const entries = { 'rope.dimension_count': uint32(dims), 'rope.freq_base': float32(theta) };
  switch (scaling?.type) {
    case 'linear':
      return {
        ...entries,
        'rope.scaling.type': 'linear',
        'rope.scaling.factor': float32(scaling.factor),
      };
    case 'yarn':
      return {
        ...entries,
        'rope.scaling.type': 'yarn',
        'rope.scaling.factor': float32(scaling.factor),
        'rope.scaling.original_context_length': uint32(scaling.originalMaxPositionEmbeddings),
        ...yarnEntries(configJson),
      };
    case 'longrope':
      return {
        ...entries,
        'rope.scaling.type': 'longrope',
        'rope.scaling.attn_factor': float32(scaling.attentionFactor),
      };
    // Llama 3's scaling is a tensor of factors.
    default:
      return entries;
  }
}

/** What a file says of YaRN itself; otherwise llama.cpp has the defaults of transformers. */
function yarnEntries(configJson: JsonObject): Record<string, GgufValue | undefined> {
  const parameters = (configJson['rope_scaling'] ??
    configJson['rope_parameters'] ??
    {}) as JsonObject;
  const own = (parameters['full_attention'] ?? parameters) as JsonObject;
  const entry = (key: string): GgufValue | undefined =>
    typeof own[key] === 'number' ? float32(own[key]) : undefined;
  return {
    'rope.scaling.yarn_attn_factor': entry('attention_factor'),
    'rope.scaling.yarn_log_multiplier': entry('mscale_all_dim'),
    'rope.scaling.yarn_beta_fast': entry('beta_fast'),
    'rope.scaling.yarn_beta_slow': entry('beta_slow'),
  };
}

/** Divisors of the frequencies of pairs of features, in float32, which files have as tensors. */
export function ggufRopeFactors(config: DecoderConfig): ReadonlyMap<string, Float32Array> {
  const { rotary } = rotariesOf(config);
  const scaling = rotary?.scaling;
  switch (scaling?.type) {
    case 'llama3':
      return new Map([['rope_freqs.weight', divisors(rotary!)]]);
    case 'longrope':
      return new Map([
        ['rope_factors_long.weight', Float32Array.from(scaling.longFactors)],
        ['rope_factors_short.weight', Float32Array.from(scaling.shortFactors)],
      ]);
    default:
      return new Map();
  }
}

function divisors(rotary: Rotary): Float32Array {
  const plain = inverseFrequencies({ ...rotary, scaling: null });
  const scaled = inverseFrequencies(rotary);
  return Float32Array.from(plain, (frequency, pair) => frequency / scaled[pair]!);
}
