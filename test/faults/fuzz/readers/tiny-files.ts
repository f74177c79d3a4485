import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expectedTensors } from '../../../../engine/architectures/expected-tensors.ts';
import { parseDecoderConfig } from '../../../../engine/architectures/hugging-face-config.ts';
import {
  type TensorToWrite,
  writeSafetensors,
} from '../../../../engine/formats/safetensors-writer.ts';
import { byteLevelFiles, CHATML } from '../../../engine/tokenizer/tiny-tokenizer.ts';

/** The smallest model that there can be: its files are read thousands of times a second. */
export const MODEL_CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  bos_token_id: 1,
  eos_token_id: [2, 3],
  pad_token_id: 0,
  hidden_act: 'silu',
  hidden_size: 8,
  intermediate_size: 16,
  max_position_embeddings: 32,
  num_attention_heads: 2,
  num_hidden_layers: 2,
  num_key_value_heads: 1,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  rope_scaling: {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 16,
  },
  tie_word_embeddings: true,
  vocab_size: 16,
};

/** The same in the style of a newer transformers. */
export const NEWER_MODEL_CONFIG = {
  ...MODEL_CONFIG,
  architectures: ['Qwen3ForCausalLM'],
  head_dim: 4,
  rope_theta: undefined,
  rope_scaling: undefined,
  rope_parameters: { rope_type: 'linear', rope_theta: 10000, factor: 2 },
  layer_types: ['full_attention', 'full_attention'],
  sliding_window: null,
};

/** {@link MODEL_CONFIG} as it is used. */
export const DECODER = parseDecoderConfig(MODEL_CONFIG, 'config.json');

/** Bytes of a value as JSON. */
export function jsonBytes(value: unknown, indent?: number): Uint8Array {
  return Buffer.from(JSON.stringify(value, null, indent));
}

/** Bytes of values as JSON Lines. */
export function jsonLines(...values: readonly unknown[]): Uint8Array {
  return Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
}

/** Small weights for a model of {@link DECODER}. */
export function modelTensors(): TensorToWrite[] {
  return [...expectedTensors(DECODER)].map(([name, shape]) => ({
    name,
    dtype: 'F32',
    shape,
    data: new Float32Array(shape.reduce((size, length) => size * length, 1)).fill(0.5),
  }));
}

/** Writes the weights of {@link modelTensors} as two shards, and returns their index. */
export async function writeShards(folder: string): Promise<object> {
  const tensors = modelTensors();
  const half = Math.ceil(tensors.length / 2);
  const shards = { 'a.safetensors': tensors.slice(0, half), 'b.safetensors': tensors.slice(half) };
  const entries: [string, string][] = [];
  for (const [name, part] of Object.entries(shards)) {
    await writeSafetensors(path.join(folder, name), part);
    entries.push(...part.map((tensor): [string, string] => [tensor.name, name]));
  }
  return { metadata: { total_size: 1 }, weight_map: Object.fromEntries(entries) };
}

/** Writes the files of a tokenizer whose tokens are bytes. */
export async function writeTokenizer(folder: string): Promise<void> {
  const { tokenizerJson, tokenizerConfig } = byteLevelFiles();
  await writeFile(path.join(folder, 'tokenizer.json'), jsonBytes(tokenizerJson));
  await writeFile(
    path.join(folder, 'tokenizer_config.json'),
    jsonBytes({ ...tokenizerConfig, chat_template: CHATML }),
  );
  // For a tokenizer that has no token of that name.
  await writeFile(path.join(folder, 'generation_config.json'), jsonBytes({ eos_token_id: [2] }));
}
