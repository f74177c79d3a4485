import { expect, test } from 'vitest';
import { parseDecoderConfig } from '../../../engine/architectures/hugging-face-config.ts';

const dense = {
  architectures: ['GraniteMoeHybridForCausalLM'],
  vocab_size: 96,
  hidden_size: 32,
  intermediate_size: 8192,
  shared_intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_local_experts: 0,
  layer_types: ['attention', 'attention'],
  position_embedding_type: 'rope',
};
const parse = (json: object) => parseDecoderConfig(json, 'model/config.json');

test('the width of an MLP is that of what transformers calls the shared one', () => {
  const { mlp } = parse(dense).layers[1]!;
  expect(mlp).toMatchObject({
    gateUp: { name: 'model.layers.1.shared_mlp.input_linear', inFeatures: 32, outFeatures: 96 },
    down: { name: 'model.layers.1.shared_mlp.output_linear', inFeatures: 48, outFeatures: 32 },
  });
});

test('layers know positions where position_embedding_type says so', () => {
  const rotaries = (json: object) => parse(json).layers.map(({ attention }) => attention.rotary);
  expect(rotaries(dense)).not.toContain(null);
  expect(rotaries({ ...dense, position_embedding_type: 'nope' })).toEqual([null, null]);
  expect(rotaries({ ...dense, position_embedding_type: null })).toEqual([null, null]);
});

test.each([
  ['experts', { num_local_experts: 64 }, 'num_local_experts 64'],
  ['experts by default', { num_local_experts: undefined }, 'num_local_experts 8'],
  ['layers of Mamba', { layer_types: ['mamba', 'attention'] }, '"mamba"'],
  ['layers of Mamba by default', { layer_types: undefined }, 'Mamba'],
])('%s are refused by name', (_, change, named) => {
  const config = JSON.parse(JSON.stringify({ ...dense, ...change }));
  expect(() => parse(config)).toThrow(named);
});
