import { SPECIAL } from '../engine/tokenizer/tiny-tokenizer.ts';

/** A Hugging Face `config.json` of a Llama. */
export type LlamaJson = Readonly<Record<string, unknown>> & { readonly num_hidden_layers: number };

const LLAMA = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_act: 'silu',
  rms_norm_eps: 1e-5,
  initializer_range: 0.02,
  attention_bias: false,
  mlp_bias: false,
  bos_token_id: null,
  eos_token_id: SPECIAL['<|im_end|>'],
  pad_token_id: SPECIAL['<|pad|>'],
  torch_dtype: 'bfloat16',
};

/** The sizes of SmolLM2-135M. */
const SMOLLM2_135M = {
  ...LLAMA,
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  max_position_embeddings: 8192,
  rope_theta: 100000,
  tie_word_embeddings: true,
};

/** The sizes of TinyLlama-1.1B. */
const TINYLLAMA_1B = {
  ...LLAMA,
  vocab_size: 32000,
  hidden_size: 2048,
  intermediate_size: 5632,
  num_hidden_layers: 22,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  max_position_embeddings: 2048,
  rope_theta: 10000,
  tie_word_embeddings: false,
};

/** The sizes of Llama 3 8B. */
const LLAMA3_8B = {
  ...LLAMA,
  vocab_size: 128256,
  hidden_size: 4096,
  intermediate_size: 14336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  max_position_embeddings: 8192,
  rope_theta: 500000,
  tie_word_embeddings: false,
};

/** For trying the harness itself: a step of it takes a few milliseconds. */
const TINY = {
  ...SMOLLM2_135M,
  vocab_size: 512,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};

/** The models whose shapes are measured, by the names that rows have for them. */
export const MODEL_SHAPES = {
  tiny: TINY,
  '135m': SMOLLM2_135M,
  '135m-6-layers': { ...SMOLLM2_135M, num_hidden_layers: 6 },
  '135m-12-layers': { ...SMOLLM2_135M, num_hidden_layers: 12 },
  '135m-18-layers': { ...SMOLLM2_135M, num_hidden_layers: 18 },
  '135m-24-layers': { ...SMOLLM2_135M, num_hidden_layers: 24 },
  '1.1b': TINYLLAMA_1B,
  '8b': LLAMA3_8B,
} as const satisfies Readonly<Record<string, LlamaJson>>;

export type ModelShape = keyof typeof MODEL_SHAPES;
