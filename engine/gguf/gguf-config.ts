import { CONFIG_LIMITS } from '../architectures/config-limits.ts';
import { FAMILIES } from '../architectures/families.ts';
import { LorafaError } from '../errors.ts';
import { readTensor } from '../formats/tensor-data.ts';
import type { JsonObject } from '../json-file.ts';
import type { GgufFile } from './gguf.ts';
import { GgufMetadata } from './gguf-metadata.ts';

/** Families that llama.cpp knows. */
const FAMILIES_IN_GGUF = FAMILIES.flatMap(({ gguf, ...names }) =>
  gguf === null ? [] : [{ ...names, gguf }],
);

/** Of those that share an architecture, the one that is known by what only it has comes first. */
const BY_WHAT_THEY_HAVE = FAMILIES_IN_GGUF.toSorted(
  ({ gguf: a }, { gguf: b }) => Number('onlyWith' in b) - Number('onlyWith' in a),
);

/** The architectures that can be fine-tuned, as GGUF files name them. */
export const GGUF_ARCHITECTURES: readonly string[] = [
  ...new Set(FAMILIES_IN_GGUF.map(({ gguf }) => gguf.architecture)),
];

/** Values that every Llama 3.x release uses; GGUF keeps only the frequency factors made from them. */
const LLAMA3_ROPE = {
  rope_type: 'llama3',
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
} as const;

/** A factor in float32 for every second dimension of a head. */
const MAX_FACTOR_BYTES = (4 * CONFIG_LIMITS.headWidth) / 2;

/**
 * The Hugging Face `config.json` of the model in a GGUF file.
 *
 * @throws LorafaError `model.unsupported` for an architecture or option that is not known, by name;
 * `model.corrupt` when metadata is missing or of the wrong kind.
 */
export async function ggufConfig(gguf: GgufFile): Promise<JsonObject> {
  const metadata = new GgufMetadata(gguf);
  const architecture = metadata.string('general.architecture') ?? '(none)';
  const family = BY_WHAT_THEY_HAVE.find(
    ({ gguf: { architecture: name, onlyWith } }) =>
      name === architecture &&
      (onlyWith === undefined || metadata.number(`${architecture}.${onlyWith}`) !== undefined),
  );
  if (family === undefined) {
    throw unsupported(
      gguf,
      `the architecture "${architecture}" is not known; known are ${GGUF_ARCHITECTURES.join(', ')}`,
    );
  }
  const optional = (key: string) => metadata.number(`${architecture}.${key}`);
  const ofLayers = (key: string) => metadata.numberOfLayers(`${architecture}.${key}`);
  const required = (key: string, value = optional(key)): number => {
    if (value !== undefined) return value;
    throw new LorafaError('model.corrupt', `${gguf.path} has no "${architecture}.${key}".`, {
      location: { file: gguf.path },
    });
  };
  const own =
    family.gguf.config?.({
      number: optional,
      boolean: (key) => metadata.boolean(`${architecture}.${key}`),
      booleans: (key) => metadata.booleans(`${architecture}.${key}`),
    }) ?? {};
  if ((optional('expert_count') ?? 0) > 0 && !('num_experts_per_tok' in own)) {
    throw unsupported(gguf, `experts of the architecture "${architecture}" are not known`);
  }
  const hiddenSize = required('embedding_length');
  const numHeads = required('attention.head_count', ofLayers('attention.head_count'));
  const headDim = optional('attention.key_length') ?? hiddenSize / numHeads;
  const valueDim = optional('attention.value_length') ?? headDim;
  const rotatedDim = optional('rope.dimension_count');
  if (valueDim !== headDim) {
    throw unsupported(gguf, `heads of ${headDim} with values of ${valueDim} are not known`);
  }
  const ropeTheta = optional('rope.freq_base');
  const eos = metadata.number('tokenizer.ggml.eos_token_id');
  const endOfTurn = metadata.number('tokenizer.ggml.eot_token_id');
  const ends = [...new Set([eos, endOfTurn].filter((id) => id !== undefined))];
  return {
    architectures: [family.className],
    model_type: family.modelType,
    vocab_size: gguf.tensors.get('token_embd.weight')?.shape[0] ?? required('vocab_size'),
    hidden_size: hiddenSize,
    intermediate_size: required('feed_forward_length', ofLayers('feed_forward_length')),
    num_hidden_layers: required('block_count'),
    num_attention_heads: numHeads,
    num_key_value_heads: ofLayers('attention.head_count_kv') ?? numHeads,
    head_dim: headDim,
    max_position_embeddings: required('context_length'),
    ...given({
      rms_norm_eps: optional('attention.layer_norm_rms_epsilon'),
      rope_theta: ropeTheta,
      partial_rotary_factor: rotatedDim && rotatedDim / headDim,
      // Some write 0 for none.
      sliding_window: optional('attention.sliding_window') || undefined,
    }),
    rope_scaling: await ropeScaling(gguf, metadata, architecture, ropeTheta ?? 10_000),
    tie_word_embeddings: !gguf.tensors.has('output.weight'),
    attention_bias: ['q', 'qkv'].some((name) => gguf.tensors.has(`blk.0.attn_${name}.bias`)),
    mlp_bias: gguf.tensors.has('blk.0.ffn_up.bias'),
    bos_token_id: metadata.number('tokenizer.ggml.bos_token_id') ?? null,
    eos_token_id: ends.length > 1 ? ends : (ends[0] ?? null),
    pad_token_id: metadata.number('tokenizer.ggml.padding_token_id') ?? null,
    torch_dtype: 'float16',
    ...given(own),
  };
}

/** Without what is undefined, so that the family's defaults hold. */
function given(keys: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));
}

async function ropeScaling(
  gguf: GgufFile,
  metadata: GgufMetadata,
  architecture: string,
  theta: number,
): Promise<JsonObject | null> {
  const factors = await readFactors(gguf, 'rope_freqs.weight');
  if (factors !== undefined) return llama3Scaling(factors, theta) ?? divided(factors);
  const number = (key: string) => metadata.number(`${architecture}.rope.scaling.${key}`);
  const original = number('original_context_length');
  const more = given({
    attention_factor: number('attn_factor'),
    original_max_position_embeddings: original,
    llama_4_scaling_beta: metadata.number(`${architecture}.attention.temperature_scale`),
    ...yarnMagnitudes(number('yarn_log_multiplier')),
  });
  const longFactors = await readFactors(gguf, 'rope_factors_long.weight');
  if (longFactors !== undefined) {
    return {
      rope_type: 'longrope',
      long_factor: longFactors,
      short_factor: (await readFactors(gguf, 'rope_factors_short.weight')) ?? [],
      ...more,
    };
  }
  const factor = number('factor') ?? metadata.number(`${architecture}.rope.scale_linear`);
  const type = metadata.string(`${architecture}.rope.scaling.type`) ?? (factor && 'linear');
  if (!type || type === 'none' || factor === 1) return null;
  return { rope_type: type, factor: factor ?? 1, ...more };
}

/** llama.cpp takes the first for 1 where a file has the second. */
function yarnMagnitudes(mscaleAllDim: number | undefined): Record<string, number> {
  return mscaleAllDim === undefined ? {} : { mscale: 1, mscale_all_dim: mscaleAllDim };
}

/** Divisors of the frequencies of pairs of features. */
async function readFactors(gguf: GgufFile, tensor: string): Promise<number[] | undefined> {
  const factors = gguf.tensors.get(tensor);
  if (factors === undefined) return undefined;
  const { name, file, offset, length, shape, type } = factors;
  if (type !== 'F32') throw unsupported(gguf, `${tensor} stored as ${type} is not known`);
  if (length > MAX_FACTOR_BYTES) {
    throw unsupported(gguf, `${tensor} of ${length} bytes is not known`);
  }
  return [...(await readTensor({ name, file, offset, length, shape, dtype: 'F32' }))];
}

/** Llama 3's scaling, where frequency factors are those of one of its releases. */
function llama3Scaling(factors: readonly number[], theta: number): JsonObject | undefined {
  const factor = factors.reduce((most, value) => Math.max(most, value), 1);
  const { low_freq_factor, high_freq_factor, original_max_position_embeddings } = LLAMA3_ROPE;
  const isReleased = factors.every((actual, index) => {
    const wavelength = 2 * Math.PI * theta ** (index / factors.length);
    const turns = original_max_position_embeddings / wavelength;
    const smooth = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
    const clamped = Math.min(1, Math.max(0, smooth));
    const expected = 1 / ((1 - clamped) / factor + clamped);
    return Math.abs(actual - expected) <= 1e-3 * expected;
  });
  return isReleased ? { ...LLAMA3_ROPE, factor } : undefined;
}

/** Any other factors: LongRoPE's form has divisors of frequencies as they are, here for texts of all lengths. */
function divided(factors: readonly number[]): JsonObject {
  return {
    rope_type: 'longrope',
    short_factor: [...factors],
    long_factor: [...factors],
    attention_factor: 1,
  };
}

function unsupported(gguf: GgufFile, cause: string): LorafaError {
  return new LorafaError('model.unsupported', `${gguf.path}: ${cause}.`, {
    location: { file: gguf.path },
  });
}
