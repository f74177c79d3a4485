import { describe, expect, test } from 'vitest';
import { parseDecoderConfig } from '../../../engine/architectures/hugging-face-config.ts';
import { linearModules } from '../../../engine/architectures/linear-modules.ts';

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
const windowsOf = (json: object) =>
  parse(json).layers.map(({ attention }) => attention.slidingWindow);

/** Which linear layers of the first layer have a bias. */
function biasesOf(json: object): string[] {
  return linearModules(parse(json))
    .filter(({ bias, layer }) => bias && layer === 0)
    .map(({ name }) => name.slice(name.lastIndexOf('.') + 1));
}

describe("transformers' defaults fill what is missing", () => {
  test('Llama', () => {
    const { layers, norm, head, embedding, ...rest } = parse(llama);
    expect(rest).toEqual({
      family: 'llama',
      vocabSize: 96,
      hiddenSize: 32,
      embeddingScale: 1,
      layersName: 'model.layers',
      outputName: 'lm_head',
      maxPositionEmbeddings: 2048,
      positionEmbedding: null,
      storedNames: [],
      isPart: false,
      bosTokenId: 1,
      eosTokenIds: [2],
      padTokenId: null,
    });
    expect(layers).toHaveLength(2);
    expect(layers[1]!.attention).toMatchObject({
      numHeads: 4,
      numKeyValueHeads: 4,
      headDim: 8,
      rotary: { dims: 8, theta: 10000, scaling: null },
      queryNorm: null,
      slidingWindow: null,
    });
    expect(norm).toMatchObject({ kind: 'rms', epsilon: 1e-6, offset: 0 });
    expect(head.embedding.name).not.toBe(embedding.name);
  });

  test('the architecture may be known by its model_type alone', () => {
    expect(parse({ ...qwen2, architectures: null, model_type: 'qwen2' }).family).toBe('qwen2');
  });

  test('Mistral slides, has no biases and groups its heads', () => {
    const heads = { num_attention_heads: 16, attention_bias: true, mlp_bias: true };
    const [layer] = parse({ ...mistral, ...heads }).layers;
    expect(layer!.attention).toMatchObject({ slidingWindow: 4096, numKeyValueHeads: 8 });
    expect(biasesOf({ ...mistral, ...heads })).toEqual([]);
    expect(windowsOf({ ...mistral, ...heads, sliding_window: null })).toEqual([null, null]);
  });

  test('Qwen has its biases, its norms and no default end', () => {
    expect(biasesOf(qwen2)).toEqual(['q_proj', 'k_proj', 'v_proj']);
    expect(parse(qwen2)).toMatchObject({ eosTokenIds: [], bosTokenId: null });
    expect(parse(qwen2).layers[0]!.attention).toMatchObject({ queryNorm: null, headDim: 8 });
    expect(biasesOf(qwen3)).toEqual([]);
    const { queryNorm, headDim } = parse(qwen3).layers[0]!.attention;
    expect([queryNorm!.size, headDim]).toEqual([128, 128]);
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
    theta: 5e5,
    scaling: {
      type: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositionEmbeddings: 8192,
    },
  };

  test('with dynamic scaling, texts may be longer than those of the first training', () => {
    const rope_scaling = { type: 'dynamic', factor: 2.5 };
    expect(parse({ ...llama, rope_scaling }).maxPositionEmbeddings).toBe(5120);
  });

  test.each([
    [
      { rope_theta: 5e5, rope_scaling: null },
      { theta: 5e5, scaling: null },
    ],
    [{ rope_parameters: { rope_type: 'default', rope_theta: 5e5 } }, { theta: 5e5, scaling: null }],
    [{ rope_scaling: { type: 'linear', factor: 2 } }, { scaling: { type: 'linear', factor: 2 } }],
    [
      { rope_scaling: { type: 'dynamic', factor: 2 } },
      { scaling: { type: 'dynamic', factor: 2, originalMaxPositionEmbeddings: 2048 } },
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
    expect(parse({ ...llama, ...keys }).layers[0]!.attention.rotary).toMatchObject(expected);
  });

  test('yarn: attention is sharper by the stretch, or as the file says', () => {
    const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 512 };
    const factorOf = (more: object) => {
      const { scaling } = parse({ ...llama, rope_scaling: { ...yarn, ...more } }).layers[0]!
        .attention.rotary!;
      return scaling?.type === 'yarn' ? scaling.attentionFactor : undefined;
    };
    expect(factorOf({})).toBeCloseTo(0.1 * Math.log(4) + 1, 12);
    expect(factorOf({ mscale: 1, mscale_all_dim: 1 })).toBe(1);
    expect(factorOf({ attention_factor: 2 })).toBe(2);
  });

  test('a part of each head, where the family turns parts', () => {
    const dimsOf = (json: object) => parse(json).layers[0]!.attention.rotary!.dims;
    const neox = { ...llama, architectures: ['GPTNeoXForCausalLM'], head_dim: 32 };
    expect(dimsOf(neox)).toBe(8);
    expect(dimsOf({ ...neox, rotary_pct: 1 })).toBe(32);
    expect(dimsOf({ ...neox, rope_parameters: { partial_rotary_factor: 0.5 } })).toBe(16);
  });
});

describe('sliding windows, layer by layer', () => {
  const gemma2 = { ...llama, architectures: ['Gemma2ForCausalLM'], num_hidden_layers: 4 };
  test.each([
    [{ ...qwen2, sliding_window: 8 }, [null, null]],
    [{ ...qwen2, sliding_window: 8, use_sliding_window: true, max_window_layers: 0 }, [8, 8]],
    [{ ...qwen2, sliding_window: 8, use_sliding_window: true, max_window_layers: 1 }, [null, 8]],
    [{ ...qwen2, sliding_window: 8, use_sliding_window: true, max_window_layers: 2 }, [null, null]],
    [{ ...mistral, num_key_value_heads: 4, sliding_window: 8 }, [8, 8]],
    [{ ...llama, sliding_window: 8 }, [null, null]],
    [{ ...qwen3, layer_types: ['full_attention', 'full_attention'] }, [null, null]],
    [{ ...gemma2, sliding_window: 8 }, [8, null, 8, null]],
  ])('%j', (json, expected) => {
    expect(windowsOf(json)).toEqual(expected);
  });
});

describe('what would be computed wrongly is refused by name', () => {
  test.each([
    [
      { ...llama, architectures: ['GemmaForCausalLM'] },
      /"GemmaForCausalLM" is not known; known are LlamaForCausalLM, MistralForCausalLM, .*Gemma2ForCausalLM/,
    ],
    [{ ...llama, architectures: [] }, /no architecture is named/],
    [{ ...llama, architectures: ['toString'] }, /"toString" is not known/],
    [{ ...llama, hidden_act: 'relu2' }, /"relu2" is not known; known are silu/],
    [{ ...llama, quantization_config: { quant_method: 'gptq' } }, /"gptq"/],
    [{ ...llama, rope_scaling: { type: 'ntk', factor: 4 } }, /"ntk" in rope_scaling/],
    [
      { ...llama, rope_scaling: { type: { toString: 1 } } },
      /type \{"toString":1\} in rope_scaling/,
    ],
    [{ ...llama, quantization_config: { quant_method: { toString: 1 } } }, /\{"toString":1\}/],
    [
      { ...llama, rope_parameters: { rope_type: 'proportional', factor: 4 } },
      /"proportional" in rope_parameters/,
    ],
    [{ ...llama, rope_parameters: { full_attention: { rope_theta: 1e4 } } }, /from layer to layer/],
    [{ ...llama, partial_rotary_factor: 0.5 }, /partial_rotary_factor 0.5/],
    [
      { ...qwen3, layer_types: ['sliding_attention', 'full_attention'] },
      /"sliding_attention", but no window is set/,
    ],
    [{ ...qwen3, layer_types: ['chunked_attention', 'chunked_attention'] }, /"chunked_attention"/],
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
