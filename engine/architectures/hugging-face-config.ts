import { z } from 'zod';
import { type ErrorCode, LorafaError } from '../errors.ts';
import { quote } from '../quote.ts';
import { SIZED } from '../sized.ts';
import { CONFIG_LIMITS, count, index, magnitude } from './config-limits.ts';
import type { DecoderConfig, DecoderFamily } from './decoder-config.ts';
import { parseRope } from './rope-config.ts';

/** Values of transformers' configuration classes for keys that a `config.json` leaves out. */
interface FamilyDefaults {
  readonly family: DecoderFamily;
  readonly vocabSize: number;
  readonly intermediateSize: number;
  /** null: as many as there are query heads. */
  readonly numKeyValueHeads: number | null;
  /** null: `hidden_size / num_attention_heads`. */
  readonly headDim: number | null;
  readonly maxPositionEmbeddings: number;
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | null;
}

const LLAMA: FamilyDefaults = {
  family: 'llama',
  vocabSize: 32000,
  intermediateSize: 11008,
  numKeyValueHeads: null,
  headDim: null,
  maxPositionEmbeddings: 2048,
  bosTokenId: 1,
  eosTokenId: 2,
};
const MISTRAL: FamilyDefaults = {
  ...LLAMA,
  family: 'mistral',
  intermediateSize: 14336,
  numKeyValueHeads: 8,
  maxPositionEmbeddings: 131072,
};
const QWEN2: FamilyDefaults = {
  family: 'qwen2',
  vocabSize: 151936,
  intermediateSize: 22016,
  numKeyValueHeads: 32,
  headDim: null,
  maxPositionEmbeddings: 32768,
  bosTokenId: null,
  eosTokenId: null,
};
const QWEN3: FamilyDefaults = { ...QWEN2, family: 'qwen3', headDim: 128 };

/** Families by the class in `architectures` and, for files without it, by `model_type`. */
const FAMILIES: ReadonlyMap<string, FamilyDefaults> = new Map([
  ['LlamaForCausalLM', LLAMA],
  ['MistralForCausalLM', MISTRAL],
  ['Qwen2ForCausalLM', QWEN2],
  ['Qwen3ForCausalLM', QWEN3],
  ['llama', LLAMA],
  ['mistral', MISTRAL],
  ['qwen2', QWEN2],
  ['qwen3', QWEN3],
]);

/** The architectures that can be fine-tuned, as `config.json` names them. */
export const KNOWN_ARCHITECTURES: readonly string[] = [...FAMILIES.keys()].filter((name) =>
  name.endsWith('ForCausalLM'),
);

const tokenId = index('vocabulary');
/** Published models name up to five. */
const MAX_END_TOKENS = 256;

const configSchema = z.object({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
  vocab_size: count('vocabulary').optional(),
  hidden_size: count('width').default(4096),
  intermediate_size: count('innerWidth').optional(),
  num_hidden_layers: count('layers').default(32),
  num_attention_heads: count('heads').default(32),
  num_key_value_heads: count('heads').nullish(),
  head_dim: count('headWidth').nullish(),
  hidden_act: z.string().default('silu'),
  max_position_embeddings: count('positions').optional(),
  rms_norm_eps: magnitude('epsilon').default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  sliding_window: count('positions').nullish(),
  max_window_layers: index('layers').default(28),
  layer_types: z.array(z.string()).max(CONFIG_LIMITS.layers, SIZED).nullish(),
  rope_theta: magnitude('ropeTheta').nullish(),
  rope_scaling: z.record(z.string(), z.unknown()).nullish(),
  rope_parameters: z.record(z.string(), z.unknown()).nullish(),
  partial_rotary_factor: z.number().nullish(),
  quantization_config: z.record(z.string(), z.unknown()).nullish(),
  bos_token_id: tokenId.nullish(),
  eos_token_id: z.union([tokenId, z.array(tokenId).max(MAX_END_TOKENS, SIZED)]).nullish(),
  pad_token_id: z.int().max(CONFIG_LIMITS.vocabulary).nullish(),
});

/** The keys of a Hugging Face `config.json` that a decoder's forward pass depends on. */
export type HuggingFaceConfig = z.infer<typeof configSchema>;

/** Makes the error for a config that is broken or asks for something that is not known. */
export type ConfigFailure = (code: ErrorCode, cause: string) => LorafaError;

/**
 * Reads a Hugging Face `config.json`, in the style of transformers 4 (`rope_theta`, `rope_scaling`)
 * or 5 (`rope_parameters`). Keys that are missing get transformers' default values.
 *
 * @param file Where the JSON came from, for messages.
 * @throws LorafaError `model.unsupported` for an architecture or option that would be computed
 * wrongly, by name; `model.corrupt` for values that make no sense.
 */
export function parseDecoderConfig(json: unknown, file: string): DecoderConfig {
  const fail: ConfigFailure = (code, cause) =>
    new LorafaError(code, `${file}: ${cause}.`, { location: { file } });
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join('.') || 'the file';
    throw fail('model.corrupt', `"${field}" is wrong (${issue?.message ?? 'no reason given'})`);
  }
  const config = parsed.data;
  const defaults = findFamily(config, fail);
  refuseUnknownOptions(config, fail);
  const maxPositionEmbeddings = config.max_position_embeddings ?? defaults.maxPositionEmbeddings;
  return {
    family: defaults.family,
    vocabSize: config.vocab_size ?? defaults.vocabSize,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size ?? defaults.intermediateSize,
    numLayers: config.num_hidden_layers,
    ...parseHeads(config, defaults, fail),
    rmsNormEps: config.rms_norm_eps,
    ...parseRope(config, maxPositionEmbeddings, fail),
    maxPositionEmbeddings,
    tieWordEmbeddings: config.tie_word_embeddings,
    ...parseBiases(config, defaults.family),
    qkNorm: defaults.family === 'qwen3',
    slidingWindow: parseSlidingWindow(config, defaults.family, fail),
    hiddenAct: 'silu',
    bosTokenId: withDefault(config.bos_token_id, defaults.bosTokenId),
    eosTokenIds: [withDefault(config.eos_token_id, defaults.eosTokenId) ?? []].flat(),
    // Some configs write -1 for "none".
    padTokenId: config.pad_token_id == null || config.pad_token_id < 0 ? null : config.pad_token_id,
  };
}

/** A key that is missing takes the default; one that is null means null. */
function withDefault<T, D>(value: T | undefined, fallback: D): T | D {
  return value === undefined ? fallback : value;
}

function findFamily(config: HuggingFaceConfig, fail: ConfigFailure): FamilyDefaults {
  const name = config.architectures?.[0] ?? config.model_type;
  const family = FAMILIES.get(name ?? '');
  if (family !== undefined) return family;
  const what =
    name == null ? 'no architecture is named' : `the architecture "${name}" is not known`;
  throw fail('model.unsupported', `${what}; known are ${KNOWN_ARCHITECTURES.join(', ')}`);
}

function refuseUnknownOptions(config: HuggingFaceConfig, fail: ConfigFailure): void {
  if (config.hidden_act !== 'silu' && config.hidden_act !== 'swish') {
    throw fail(
      'model.unsupported',
      `the activation hidden_act "${config.hidden_act}" is not known; known is "silu"`,
    );
  }
  if (config.quantization_config != null) {
    const method = quote(config.quantization_config['quant_method'] ?? 'unknown');
    throw fail(
      'model.unsupported',
      `weights quantized with quantization_config ${method} cannot be read; use the unquantized model or a GGUF file`,
    );
  }
}

function parseHeads(
  config: HuggingFaceConfig,
  defaults: FamilyDefaults,
  fail: ConfigFailure,
): Pick<DecoderConfig, 'numHeads' | 'numKeyValueHeads' | 'headDim'> {
  const numHeads = config.num_attention_heads;
  const numKeyValueHeads =
    withDefault(config.num_key_value_heads, defaults.numKeyValueHeads) ?? numHeads;
  const headDim = config.head_dim ?? defaults.headDim ?? config.hidden_size / numHeads;
  if (numHeads % numKeyValueHeads !== 0) {
    throw fail(
      'model.corrupt',
      `num_attention_heads (${numHeads}) is not a multiple of num_key_value_heads (${numKeyValueHeads})`,
    );
  }
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) {
    throw fail(
      'model.corrupt',
      `the width of a head (head_dim, or hidden_size ${config.hidden_size} / num_attention_heads ${numHeads}) is ${headDim}, not an even number`,
    );
  }
  return { numHeads, numKeyValueHeads, headDim };
}

function parseBiases(
  config: HuggingFaceConfig,
  family: DecoderFamily,
): Pick<DecoderConfig, 'attentionBias' | 'attentionOutputBias' | 'mlpBias'> {
  // Mistral has none and Qwen2 a fixed set, whatever the keys say; so has transformers.
  const byKey = (family === 'llama' || family === 'qwen3') && config.attention_bias;
  return {
    attentionBias: byKey || family === 'qwen2',
    attentionOutputBias: byKey,
    mlpBias: family === 'llama' && config.mlp_bias,
  };
}

function parseSlidingWindow(
  config: HuggingFaceConfig,
  family: DecoderFamily,
  fail: ConfigFailure,
): number | null {
  const isQwen = family === 'qwen2' || family === 'qwen3';
  const mayWindow = family === 'mistral' || (isQwen && config.use_sliding_window);
  const window = mayWindow ? withDefault(config.sliding_window, 4096) : null;
  // Mistral slides in every layer; Qwen in those from max_window_layers on.
  const slides = (layer: number) => !isQwen || layer >= config.max_window_layers;
  const layerTypes =
    config.layer_types ??
    Array.from({ length: config.num_hidden_layers }, (_, layer) =>
      window !== null && slides(layer) ? 'sliding_attention' : 'full_attention',
    );
  const kinds = new Set(layerTypes);
  const [kind] = kinds;
  if (kinds.size > 1) {
    throw fail(
      'model.unsupported',
      `layers of different kinds (${[...kinds].join(', ')}) in one model are not known`,
    );
  }
  if (kind === 'full_attention' || kind === undefined) return null;
  if (kind === 'sliding_attention' && window !== null) return window;
  throw fail('model.unsupported', `layer_types asks for "${kind}", which is not known here`);
}
