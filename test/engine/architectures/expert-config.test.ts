import { expect, test } from 'vitest';
import { parseDecoderConfig } from '../../../engine/architectures/hugging-face-config.ts';

const sizes = {
  vocab_size: 96,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 4,
};
const mixtral = { ...sizes, architectures: ['MixtralForCausalLM'] };
const qwen3Moe = { ...sizes, architectures: ['Qwen3MoeForCausalLM'], num_experts: 16 };
const parse = (json: object) => parseDecoderConfig(json, 'model/config.json');
const kinds = (json: object) => parse(json).layers.map(({ mlp }) => mlp.kind);

test('which layers of a Qwen3 have experts', () => {
  expect(kinds(qwen3Moe)).toEqual(['experts', 'experts', 'experts', 'experts']);
  expect(kinds({ ...qwen3Moe, mlp_only_layers: [0, 2] })).toEqual([
    'gated',
    'experts',
    'gated',
    'experts',
  ]);
  const everySecond = { ...qwen3Moe, decoder_sparse_step: 2, mlp_only_layers: [1] };
  expect(kinds(everySecond)).toEqual(['gated', 'gated', 'gated', 'experts']);
});

test('the number of experts goes by either of its names', () => {
  const count = (json: object) => {
    const { mlp } = parse(json).layers[0]!;
    return mlp.kind === 'experts' ? mlp.experts.length : 0;
  };
  expect(count(mixtral)).toBe(8);
  expect(count(qwen3Moe)).toBe(16);
  expect(count({ ...qwen3Moe, num_experts: undefined, num_local_experts: 12 })).toBe(12);
});

test.each([
  ['a loss of its own', mixtral, { output_router_logits: true }, 'output_router_logits'],
  ['noise', mixtral, { router_jitter_noise: 0.1 }, 'router_jitter_noise'],
  ['more for a token than there are', mixtral, { num_experts_per_tok: 9 }, '(9)'],
  ['none', qwen3Moe, { num_experts: 0 }, 'num_experts'],
  ['none in any layer', qwen3Moe, { decoder_sparse_step: 9 }, 'Qwen3ForCausalLM'],
  ['too many in all', mixtral, { num_local_experts: 16384, num_hidden_layers: 4096 }, '131072'],
])('experts with %s are refused by name', (_, model, change, named) => {
  expect(() => parse({ ...model, ...change })).toThrow(named);
});
