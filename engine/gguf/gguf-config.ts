import { CONFIG_LIMITS } from '../architectures/config-limits.ts';
import { LorafaError } from '../errors.ts';
import { readTensor } from '../formats/tensor-data.ts';
import type { JsonObject } from '../json-file.ts';
import type { GgufFile } from './gguf.ts';
import { GgufMetadata } from './gguf-metadata.ts';

/** Hugging Face's class for each GGUF architecture; Mistral's files call themselves "llama". */
const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['llama', 'LlamaForCausalLM'],
  ['qwen2', 'Qwen2ForCausalLM'],
  ['qwen3', 'Qwen3ForCausalLM'],
]);

/** The architectures that can be fine-tuned, as GGUF files name them. */
export const GGUF_ARCHITECTURES: readonly string[] = [...ARCHITECTURES.keys()];

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
  const huggingFaceName = ARCHITECTURES.get(architecture);
  if (huggingFaceName === undefined) {
    throw unsupported(
      gguf,
      `the architecture "${architecture}" is not known; known are ${[...ARCHITECTURES.keys()].join(', ')}`,
    );
  }
  const optional = (key: string) => metadata.number(`${architecture}.${key}`);
  const required = (key: string): number => {
    const value = optional(key);
    if (value !== undefined) return value;
    throw new LorafaError('model.corrupt', `${gguf.path} has no "${architecture}.${key}".`, {
      location: { file: gguf.path },
    });
  };
  if ((optional('expert_count') ?? 0) > 0) {
    throw unsupported(gguf, 'mixtures of experts are not known');
  }
  const hiddenSize = required('embedding_length');
  const numHeads = required('attention.head_count');
  const headDim = optional('attention.key_length') ?? hiddenSize / numHeads;
  const valueDim = optional('attention.value_length') ?? headDim;
  const rotatedDim = optional('rope.dimension_count') ?? headDim;
  if (valueDim !== headDim || rotatedDim !== headDim) {
    throw unsupported(
      gguf,
      `heads of ${headDim} with values of ${valueDim} and ${rotatedDim} rotated dimensions are not known`,
    );
  }
  const ropeTheta = optional('rope.freq_base') ?? 10_000;
  const eos = metadata.number('tokenizer.ggml.eos_token_id');
  const endOfTurn = metadata.number('tokenizer.ggml.eot_token_id');
  const ends = [...new Set([eos, endOfTurn].filter((id) => id !== undefined))];
  return {
    architectures: [huggingFaceName],
    model_type: architecture,
    vocab_size: gguf.tensors.get('token_embd.weight')?.shape[0] ?? required('vocab_size'),
    hidden_size: hiddenSize,
    intermediate_size: required('feed_forward_length'),
    num_hidden_layers: required('block_count'),
    num_attention_heads: numHeads,
    num_key_value_heads: optional('attention.head_count_kv') ?? numHeads,
    head_dim: headDim,
    hidden_act: 'silu',
    max_position_embeddings: required('context_length'),
    rms_norm_eps: required('attention.layer_norm_rms_epsilon'),
    rope_theta: ropeTheta,
    rope_scaling: await ropeScaling(gguf, metadata, architecture, ropeTheta),
    tie_word_embeddings: !gguf.tensors.has('output.weight'),
    attention_bias: gguf.tensors.has('blk.0.attn_q.bias'),
    mlp_bias: gguf.tensors.has('blk.0.ffn_up.bias'),
    bos_token_id: metadata.number('tokenizer.ggml.bos_token_id') ?? null,
    eos_token_id: ends.length > 1 ? ends : (ends[0] ?? null),
    pad_token_id: metadata.number('tokenizer.ggml.padding_token_id') ?? null,
    torch_dtype: 'float16',
  };
}

async function ropeScaling(
  gguf: GgufFile,
  metadata: GgufMetadata,
  architecture: string,
  theta: number,
): Promise<JsonObject | null> {
  const factors = gguf.tensors.get('rope_freqs.weight');
  if (factors !== undefined) {
    const { name, file, offset, length, shape, type } = factors;
    if (type !== 'F32') throw unsupported(gguf, `rope_freqs.weight stored as ${type} is not known`);
    if (length > MAX_FACTOR_BYTES) {
      throw unsupported(gguf, `rope_freqs.weight of ${length} bytes is not known`);
    }
    return llama3Scaling(
      gguf,
      await readTensor({ name, file, offset, length, shape, dtype: 'F32' }),
      theta,
    );
  }
  const factor =
    metadata.number(`${architecture}.rope.scaling.factor`) ??
    metadata.number(`${architecture}.rope.scale_linear`);
  const type = metadata.string(`${architecture}.rope.scaling.type`) ?? (factor && 'linear');
  if (!type || type === 'none' || factor === 1) return null;
  const original = metadata.number(`${architecture}.rope.scaling.original_context_length`);
  return {
    rope_type: type,
    factor: factor ?? 1,
    ...(original !== undefined && { original_max_position_embeddings: original }),
  };
}

/** Recognises Llama 3's scaling from its frequency factors, and refuses any other. */
function llama3Scaling(gguf: GgufFile, factors: Float32Array, theta: number): JsonObject {
  const factor = factors.reduce((most, value) => Math.max(most, value), 1);
  const { low_freq_factor, high_freq_factor, original_max_position_embeddings } = LLAMA3_ROPE;
  for (const [index, actual] of factors.entries()) {
    const wavelength = 2 * Math.PI * theta ** (index / factors.length);
    const turns = original_max_position_embeddings / wavelength;
    const smooth = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
    const clamped = Math.min(1, Math.max(0, smooth));
    const expected = 1 / ((1 - clamped) / factor + clamped);
    if (!(Math.abs(actual - expected) <= 1e-3 * expected)) {
      throw unsupported(gguf, 'its rotary frequency factors are not those of Llama 3');
    }
  }
  return { ...LLAMA3_ROPE, factor };
}

function unsupported(gguf: GgufFile, cause: string): LorafaError {
  return new LorafaError('model.unsupported', `${gguf.path}: ${cause}.`, {
    location: { file: gguf.path },
  });
}
