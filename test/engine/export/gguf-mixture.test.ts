import { expect, test } from 'vitest';
import { q4kmType } from '../../../engine/export/gguf-mixture.ts';
import { typeOf } from '../../../engine/export/gguf-values.ts';

const SMOLLM2 = { layers: 30, experts: 1, hasOutput: false, isGrouped: true };

/** The layers of which a part is in some type. */
function layersIn(type: string, part: string, model = SMOLLM2): readonly number[] {
  const layers = Array.from({ length: model.layers }, (_, layer) => layer);
  return layers.filter((layer) => q4kmType(`blk.${layer}.${part}.weight`, model) === type);
}

test('the first and last layers and every third between them have more bits, as llama-quantize does it', () => {
  const important = [0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 26, 27, 28, 29];
  for (const part of ['ffn_down', 'attn_v']) {
    expect(layersIn('Q6_K', part)).toEqual(important);
    expect(layersIn('Q4_K', part)).toHaveLength(30 - important.length);
  }
  for (const part of ['attn_q', 'attn_k', 'attn_output', 'ffn_up', 'ffn_gate']) {
    expect(layersIn('Q4_K', part)).toHaveLength(30);
  }
});

test('what makes the logits has more bits, be it the embedding', () => {
  expect(q4kmType('token_embd.weight', SMOLLM2)).toBe('Q6_K');
  const untied = { ...SMOLLM2, hasOutput: true };
  expect(q4kmType('token_embd.weight', untied)).toBe('Q4_K');
  expect(q4kmType('output.weight', untied)).toBe('Q6_K');
});

test('fused projections, eight experts and 80 layers have types of their own', () => {
  expect(layersIn('Q5_K', 'attn_qkv')).toHaveLength(30);
  const mixtral = { ...SMOLLM2, layers: 32, experts: 8 };
  expect(layersIn('Q8_0', 'attn_v', mixtral)).toHaveLength(32);
  expect(layersIn('Q8_0', 'attn_k', mixtral)).toHaveLength(32);
  expect(layersIn('Q5_K', 'attn_output', mixtral)).toHaveLength(32);
  expect(layersIn('Q6_K', 'ffn_down_exps', mixtral)).toContain(31);
  const large = { ...SMOLLM2, layers: 80 };
  expect(layersIn('Q5_K', 'attn_v', large)).toHaveLength(
    80 - layersIn('Q6_K', 'attn_v', large).length,
  );
});

test('rows that are no whole blocks take shorter ones', () => {
  expect(typeOf([9, 512], 'Q4_K')).toBe('Q4_K');
  expect(typeOf([9, 576], 'Q4_K')).toBe('Q5_0');
  expect(typeOf([9, 576], 'Q5_K')).toBe('Q5_1');
  expect(typeOf([9, 576], 'Q6_K')).toBe('Q8_0');
  expect(typeOf([9, 580], 'Q4_K')).toBe('F16');
  expect(typeOf([512], 'Q4_K')).toBe('F32');
});
