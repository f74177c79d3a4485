import { describe, expect, test } from 'vitest';
import { loraSection } from '../../../engine/config/lora-section.ts';
import { examineTargets } from '../../../engine/lora/targets.ts';
import { readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { goldenPath } from '../../support/golden.ts';

const ATTENTION = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];

async function problems(model: string, section: Record<string, unknown>) {
  const { config } = await readDecoderConfig(goldenPath('models', model));
  return examineTargets(loraSection.parse({ r: 4, lora_alpha: 8, ...section }), config, 'tiny')
    .problems;
}

describe('adapters that PEFT would not load as they are', () => {
  test.each([
    ['dropout', { lora_dropout: 0.1 }, 'lora_dropout'],
    ['rsLoRA', { use_rslora: true }, 'use_rslora'],
    ['a rank of their own', { rank_pattern: { w1: 2 } }, 'rank_pattern'],
    ['a strength of their own', { alpha_pattern: { 'experts.0.w2': 2 } }, 'alpha_pattern'],
    ['one of two that are fused', { target_modules: ['w1', 'w2'] }, 'target_modules'],
    ['gate and up without down', { target_modules: ['w1', 'w3'] }, 'target_modules'],
    ['one expert', { target_modules: ['experts.0.w2'] }, 'target_modules'],
    [
      'others in the next layer',
      { target_modules: ['layers.0.block_sparse_moe.experts.0.w1', 'w2'] },
      'target_modules',
    ],
  ])('of experts, with %s', async (_, section, field) => {
    const found = await problems('mixtral', { target_modules: 'all-linear', ...section });
    expect(found.map(({ path, code }) => [path[1], code])).toEqual([
      [field, 'adapter.unsupported'],
    ]);
  });

  test('of a layer without experts beside others that have them', async () => {
    const [found] = await problems('qwen3-moe', { target_modules: 'all-linear' });
    expect(found).toMatchObject({ code: 'adapter.unsupported' });
    expect(found!.message).toContain('model.layers.1.mlp.gate_proj');
    const [remedy] = found!.remedies!;
    const values = remedy?.kind === 'set' ? remedy.values : [];
    const excluded = values.map(({ path, value }) => [path[1], value]);
    expect(
      await problems('qwen3-moe', {
        target_modules: 'all-linear',
        ...Object.fromEntries(excluded),
      }),
    ).toEqual([]);
  });
});

test.each([
  ['all', { target_modules: 'all-linear' }],
  ['down layers', { target_modules: ['w2'] }],
  ['one layer', { target_modules: [...ATTENTION, 'w1', 'w2', 'w3'], layers_to_transform: 1 }],
  ['a rank for attention', { target_modules: 'all-linear', rank_pattern: { q_proj: 2 } }],
  ['attention, in every way', { target_modules: ATTENTION, lora_dropout: 0.1, use_rslora: true }],
])('what PEFT loads is not refused: %s', async (_, section) => {
  expect(await problems('mixtral', section)).toEqual([]);
});
