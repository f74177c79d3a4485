import { expectedTensors } from '../architectures/expected-tensors.ts';
import { parseDecoderConfig } from '../architectures/hugging-face-config.ts';
import type { JsonObject } from '../json-file.ts';
import { describeTensors } from '../weights/weight-cache.ts';
import { WeightStore } from '../weights/weight-store.ts';
import type { BaseModel } from './base-model.ts';

/** A model on the Hub that is proposed to begin with. */
export interface StarterModel {
  /** As `base_model_name_or_path` takes it. */
  readonly name: string;
  /** As the Hub abbreviates it. */
  readonly licence: string;
  /** Whether its owner has to be asked for it. */
  readonly isGated: boolean;
  /** Bytes of its weights, in bfloat16. */
  readonly bytes: number;
  /** What of its `config.json` decides how large it is. */
  readonly config: JsonObject;
}

/** Shapes of a decoder under the names of `config.json`. */
function shapes(
  hidden_size: number,
  intermediate_size: number,
  num_hidden_layers: number,
  num_attention_heads: number,
  num_key_value_heads: number,
  vocab_size: number,
): JsonObject {
  return {
    ...{ hidden_size, intermediate_size, num_hidden_layers },
    ...{ num_attention_heads, num_key_value_heads, vocab_size },
    max_position_embeddings: 8192,
  };
}

const LLAMA = { architectures: ['LlamaForCausalLM'] };
const QWEN2 = { architectures: ['Qwen2ForCausalLM'] };
const QWEN3 = { architectures: ['Qwen3ForCausalLM'] };
const TIED = { tie_word_embeddings: true };

/**
 * Well-known models of the families that can be trained, from small to large. What is declared here
 * is only to choose by: a run goes by the files.
 */
export const STARTER_MODELS: readonly StarterModel[] = [
  {
    name: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    ...{ licence: 'apache-2.0', isGated: false, bytes: 269_060_552 },
    config: { ...LLAMA, ...TIED, ...shapes(576, 1536, 30, 9, 3, 49_152) },
  },
  {
    name: 'HuggingFaceTB/SmolLM2-360M-Instruct',
    ...{ licence: 'apache-2.0', isGated: false, bytes: 723_674_912 },
    config: { ...LLAMA, ...TIED, ...shapes(960, 2560, 32, 15, 5, 49_152) },
  },
  {
    name: 'Qwen/Qwen2.5-0.5B-Instruct',
    ...{ licence: 'apache-2.0', isGated: false, bytes: 988_097_824 },
    config: { ...QWEN2, ...TIED, ...shapes(896, 4864, 24, 14, 2, 151_936) },
  },
  {
    name: 'Qwen/Qwen3-0.6B',
    ...{ licence: 'apache-2.0', isGated: false, bytes: 1_503_300_328 },
    config: { ...QWEN3, ...shapes(1024, 3072, 28, 16, 8, 151_936) },
  },
  {
    name: 'TinyLlama/TinyLlama-1.1B-Chat-v1.0',
    ...{ licence: 'apache-2.0', isGated: false, bytes: 2_200_119_864 },
    config: { ...LLAMA, ...shapes(2048, 5632, 22, 32, 4, 32_000) },
  },
  {
    name: 'meta-llama/Llama-3.2-1B-Instruct',
    ...{ licence: 'llama3.2', isGated: true, bytes: 2_471_645_608 },
    config: { ...LLAMA, ...TIED, ...shapes(2048, 8192, 16, 32, 8, 128_256) },
  },
  {
    name: 'Qwen/Qwen2.5-1.5B-Instruct',
    ...{ licence: 'apache-2.0', isGated: false, bytes: 3_087_467_144 },
    config: { ...QWEN2, ...TIED, ...shapes(1536, 8960, 28, 12, 2, 151_936) },
  },
  {
    name: 'HuggingFaceTB/SmolLM2-1.7B-Instruct',
    ...{ licence: 'apache-2.0', isGated: false, bytes: 3_422_777_952 },
    config: { ...LLAMA, ...TIED, ...shapes(2048, 8192, 24, 32, 32, 49_152) },
  },
  {
    name: 'Qwen/Qwen2.5-3B-Instruct',
    ...{ licence: 'qwen-research', isGated: false, bytes: 6_171_926_992 },
    config: { ...QWEN2, ...TIED, ...shapes(2048, 11_008, 36, 16, 2, 151_936) },
  },
  {
    name: 'meta-llama/Llama-3.2-3B-Instruct',
    ...{ licence: 'llama3.2', isGated: true, bytes: 6_425_529_048 },
    config: { ...LLAMA, ...TIED, head_dim: 128, ...shapes(3072, 8192, 28, 24, 8, 128_256) },
  },
  {
    name: 'meta-llama/Meta-Llama-3-8B',
    ...{ licence: 'llama3', isGated: true, bytes: 16_060_556_376 },
    config: { ...LLAMA, ...shapes(4096, 14_336, 32, 32, 8, 128_256) },
  },
];

/** The structure of such a model; its weights are nowhere. */
export function starterStructure({
  name,
  config: json,
}: StarterModel): Pick<BaseModel, 'config' | 'name' | 'weights'> {
  const config = parseDecoderConfig(json, name);
  const tensors = [...expectedTensors(config)].map(([tensor, shape]) => ({
    ...{ name: tensor, shape },
    dtype: 'BF16' as const,
    data: new Uint8Array(),
  }));
  return { config, name, weights: new WeightStore(describeTensors(tensors, '')) };
}
