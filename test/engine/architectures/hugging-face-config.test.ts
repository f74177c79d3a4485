import { describe, expect, test } from 'vitest';
import { parseDecoderConfig } from '../../../engine/architectures/hugging-face-config.ts';

const llama = {
  architectures: ['LlamaForCausalLM'],
  vocab_size: 96,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
};
const mistral = { ...llama, architectures: ['MistralForCausalLM'] };
const qwen2 = { ...llama, architectures: ['Qwen2ForCausalLM'], num_key_value_heads: 4 };
const qwen3 = { ...qwen2, architectures: ['Qwen3ForCausalLM'] };
const parse = (json: object) => parseDecoderConfig(json, 'model/config.json');

describe("transformers' defaults fill what is missing", () => {
  test('Llama', () => {
    expect(parse(llama)).toEqual({
      family: 'llama',
      vocabSize: 96,
      hiddenSize: 32,
      intermediateSize: 64,
      numLayers: 2,
      numHeads: 4,
      numKeyValueHeads: 4,
      headDim: 8,
      rmsNormEps: 1e-6,
      ropeTheta: 10000,
      ropeScaling: null,
      maxPositionEmbeddings: 2048,
      tieWordEmbeddings: false,
      attentionBias: false,
      attentionOutputBias: false,
      mlpBias: false,
      qkNorm: false,
      slidingWindow: null,
      hiddenAct: 'silu',
      bosTokenId: 1,
      eosTokenIds: [2],
      padTokenId: null,
    });
  });

  test('the architecture may be known by its model_type alone', () => {
    expect(parse({ ...qwen2, architectures: null, model_type: 'qwen2' }).attentionBias).toBe(true);
  });

  test('Mistral slides, has no biases and groups its heads', () => {
    const heads = { num_attention_heads: 16, attention_bias: true, mlp_bias: true };
    expect(parse({ ...mistral, ...heads })).toMatchObject({
      slidingWindow: 4096,
      attentionBias: false,
      mlpBias: false,
      numKeyValueHeads: 8,
    });
    expect(parse({ ...mistral, ...heads, sliding_window: null }).slidingWindow).toBeNull();
  });

  test('Qwen has its biases, its norms and no default end', () => {
    expect(parse(qwen2)).toMatchObject({
      attentionBias: true,
      attentionOutputBias: false,
      qkNorm: false,
      eosTokenIds: [],
      bosTokenId: null,
      headDim: 8,
    });
    expect(parse(qwen3)).toMatchObject({ attentionBias: false, qkNorm: true, headDim: 128 });
  });
});

describe('token ids', () => {
  test.each([
    [{ eos_token_id: [5, 6] }, { eosTokenIds: [5, 6] }],
    [{ eos_token_id: null }, { eosTokenIds: [] }],
    [{ pad_token_id: -1 }, { padTokenId: null }],
    [
      { pad_token_id: 0, bos_token_id: null },
      { padTokenId: 0, bosTokenId: null },
    ],
  ])('%j', (keys, expected) => {
    expect(parse({ ...llama, ...keys })).toMatchObject(expected);
  });
});

describe('rotary embeddings in both styles', () => {
  const scaling = { factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
  const llama3 = {
    ropeTheta: 5e5,
    ropeScaling: {
      type: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositionEmbeddings: 8192,
    },
  };

  test.each([
    [
      { rope_theta: 5e5, rope_scaling: null },
      { ropeTheta: 5e5, ropeScaling: null },
    ],
    [
      { rope_parameters: { rope_type: 'default', rope_theta: 5e5 } },
      { ropeTheta: 5e5, ropeScaling: null },
    ],
    [
      { rope_scaling: { type: 'linear', factor: 2 } },
      { ropeScaling: { type: 'linear', factor: 2 } },
    ],
    [
      {
        rope_theta: 5e5,
        rope_scaling: { ...scaling, rope_type: 'llama3', original_max_position_embeddings: 8192 },
      },
      llama3,
    ],
    [
      {
        max_position_embeddings: 8192,
        rope_parameters: { ...scaling, rope_type: 'llama3', rope_theta: 5e5 },
      },
      llama3,
    ],
  ])('%j', (keys, expected) => {
    expect(parse({ ...llama, ...keys })).toMatchObject(expected);
  });
});

describe('sliding windows', () => {
  test.each([
    [{ ...qwen2, sliding_window: 8 }, null],
    [{ ...qwen2, sliding_window: 8, use_sliding_window: true, max_window_layers: 0 }, 8],
    [{ ...qwen2, sliding_window: 8, use_sliding_window: true, max_window_layers: 2 }, null],
    [{ ...mistral, num_key_value_heads: 4, sliding_window: 8 }, 8],
    [{ ...llama, sliding_window: 8 }, null],
    [{ ...qwen3, layer_types: ['full_attention', 'full_attention'] }, null],
  ])('%j', (json, expected) => {
    expect(parse(json).slidingWindow).toBe(expected);
  });
});

describe('what would be computed wrongly is refused by name', () => {
  test.each([
    [
      { ...llama, architectures: ['GemmaForCausalLM'] },
      /"GemmaForCausalLM" is not known; known are LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM/,
    ],
    [{ ...llama, architectures: [] }, /no architecture is named/],
    [{ ...llama, architectures: ['toString'] }, /"toString" is not known/],
    [{ ...llama, hidden_act: 'gelu' }, /"gelu"/],
    [{ ...llama, quantization_config: { quant_method: 'gptq' } }, /"gptq"/],
    [{ ...llama, rope_scaling: { type: 'yarn', factor: 4 } }, /"yarn" in rope_scaling/],
    [
      { ...llama, rope_scaling: { type: { toString: 1 } } },
      /type \{"toString":1\} in rope_scaling/,
    ],
    [{ ...llama, quantization_config: { quant_method: { toString: 1 } } }, /\{"toString":1\}/],
    [
      { ...llama, rope_parameters: { rope_type: 'dynamic', factor: 4 } },
      /"dynamic" in rope_parameters/,
    ],
    [{ ...llama, rope_parameters: { full_attention: { rope_theta: 1e4 } } }, /from layer to layer/],
    [{ ...llama, partial_rotary_factor: 0.5 }, /partial_rotary_factor 0.5/],
    [
      { ...qwen2, use_sliding_window: true, max_window_layers: 1 },
      /full_attention, sliding_attention/,
    ],
    [{ ...qwen3, layer_types: ['sliding_attention', 'full_attention'] }, /different kinds/],
    [{ ...llama, layer_types: ['chunked_attention', 'chunked_attention'] }, /"chunked_attention"/],
  ])('%j', (json, message) => {
    expect(() => parse(json)).toThrow(
      expect.objectContaining({
        code: 'model.unsupported',
        message: expect.stringMatching(message),
        location: { file: 'model/config.json' },
      }),
    );
  });
});

describe('values that make no sense', () => {
  test.each([
    [{ ...llama, hidden_size: '32' }, /model\/config.json: "hidden_size" is wrong/],
    [{ ...llama, num_hidden_layers: 0 }, /"num_hidden_layers"/],
    [
      { ...llama, rope_scaling: { rope_type: 'llama3', factor: 8 } },
      /"rope_scaling.low_freq_factor"/,
    ],
    [{ ...llama, rope_parameters: { rope_theta: -1 } }, /"rope_theta"/],
    [{ ...llama, num_key_value_heads: 3 }, /not a multiple/],
    [{ ...llama, hidden_size: 30 }, /7.5, not an even number/],
  ])('%j', (json, message) => {
    expect(() => parse(json)).toThrow(
      expect.objectContaining({ code: 'model.corrupt', message: expect.stringMatching(message) }),
    );
  });
});

describe('a number that no model has is refused, at its key', () => {
  test.each([
    'vocab_size',
    'hidden_size',
    'intermediate_size',
    'num_hidden_layers',
    'num_attention_heads',
    'num_key_value_heads',
    'head_dim',
    'max_window_layers',
    'bos_token_id',
    'pad_token_id',
    'rms_norm_eps',
  ])('%s: 1e9', (key) => {
    expect(() => parse({ ...llama, [key]: 1e9 })).toThrow(
      expect.objectContaining({
        code: 'model.corrupt',
        message: expect.stringContaining(`"${key}" is wrong`),
      }),
    );
  });

  test.each([
    [{ max_position_embeddings: 1e12 }, /"max_position_embeddings"/],
    [{ sliding_window: 1e12 }, /"sliding_window"/],
    [{ rope_theta: 1e30 }, /"rope_theta"/],
    [{ rope_parameters: { rope_type: 'linear', factor: 1e30 } }, /"rope_parameters.factor"/],
    [{ eos_token_id: 1e9 }, /"eos_token_id"/],
    [{ eos_token_id: Array(1000).fill(1) }, /"eos_token_id"/],
    [{ layer_types: Array(100_000).fill('full_attention') }, /"layer_types"/],
  ])('%j', (change, message) => {
    expect(() => parse({ ...llama, ...change })).toThrow(
      expect.objectContaining({ code: 'model.corrupt', message: expect.stringMatching(message) }),
    );
  });
});
