import { describe, expect, test } from 'vitest';
import { linearModules } from '../../../engine/architectures/linear-modules.ts';
import { loraSection } from '../../../engine/config/lora-section.ts';
import type { LorafaError } from '../../../engine/errors.ts';
import { resolveTargets } from '../../../engine/lora/targets.ts';
import { readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { goldenPath } from '../../support/golden.ts';

const { config: decoder } = await readDecoderConfig(goldenPath('models', 'llama2'));

function resolve(section: Record<string, unknown>) {
  return resolveTargets(loraSection.parse({ r: 4, ...section }), decoder, 'tiny');
}

function failure(section: Record<string, unknown>): LorafaError {
  try {
    resolve(section);
  } catch (error) {
    return error as LorafaError;
  }
  throw new Error('nothing was refused');
}

describe('resolveTargets', () => {
  test('a configuration in which everything has an effect', () => {
    const modules = resolve({
      target_modules: ['q_proj', 'o_proj', 'layers.1.mlp.up_proj'],
      exclude_modules: ['layers.0.self_attn.o_proj'],
      rank_pattern: { 'layers.1.self_attn.q_proj': 2, q_proj: 3 },
      alpha_pattern: { up_proj: 8 },
    });
    expect(modules.map(({ name, r, scaling }) => [name, r, scaling])).toEqual([
      ['model.layers.0.self_attn.q_proj', 3, 32 / 3],
      ['model.layers.1.self_attn.q_proj', 2, 16],
      ['model.layers.1.self_attn.o_proj', 4, 8],
      ['model.layers.1.mlp.up_proj', 4, 2],
    ]);
  });

  test.each([
    ['a misspelt name', { target_modules: ['q_prj'] }, ['"q_prj"', '"q_proj"?', 'down_proj']],
    ['one wrong name among good ones', { target_modules: ['q_proj', 'query'] }, ['"query"']],
    ['a module that is not linear', { target_modules: ['self_attn'] }, ['"self_attn"']],
    ['a name as an expression', { target_modules: 'q_proj' }, ['["q_proj"]']],
    ['an expression without a match', { target_modules: '.*\\.query' }, ['regular expression']],
    ['the output layer', { target_modules: ['q_proj', 'lm_head'] }, ['lm_head of tiny']],
    ['the embedding', { target_modules: ['embed_tokens'] }, ['model.embed_tokens of tiny']],
    ['everything', { target_modules: '.*' }, ['model.embed_tokens', '"all-linear"']],
    ['a layer past the last', { layers_to_transform: [0, 2] }, ['layer 2', '0 to 1']],
    [
      'a name outside the layers',
      { target_modules: ['layers.0.mlp.up_proj', 'q_proj'], layers_to_transform: 1 },
      ['"layers.0.mlp.up_proj"', 'layers_to_transform'],
    ],
    ['an exclusion without effect', { exclude_modules: ['q_prj'] }, ['exclude_modules', '"q_prj"']],
    ['an exclusion as an expression', { exclude_modules: 'q_proj' }, ['regular expression']],
    [
      'an exclusion of what is not chosen',
      { target_modules: ['q_proj'], exclude_modules: ['k_proj'] },
      ['"k_proj"'],
    ],
    [
      'everything excluded',
      { target_modules: ['q_proj'], exclude_modules: ['q_proj'] },
      ['nothing would be trained'],
    ],
    ['a rank for no layer', { rank_pattern: { q_prj: 2 } }, ['rank_pattern', '"q_prj"']],
    ['a rank for part of a name', { rank_pattern: { proj: 2 } }, ['"proj"']],
    [
      'an alpha that an earlier key hides',
      { alpha_pattern: { q_proj: 2, 'layers.0.self_attn.q_proj': 3 } },
      ['alpha_pattern', '"layers.0.self_attn.q_proj"', 'move it up'],
    ],
  ])('%s is refused by name', (_, section, parts) => {
    const error = failure(section);
    expect(error.code).toBe('adapter.no_target');
    for (const part of parts) expect(error.message).toContain(part);
    expect(error.message).not.toContain('\n');
  });

  test('an expression means linear layers, although it matches what holds them', () => {
    expect(resolve({ target_modules: '.*layers.0.*' })).toHaveLength(7);
  });

  test('a rank larger than the layer', () => {
    const { inFeatures, outFeatures } = linearModules(decoder).find(({ name }) =>
      name.endsWith('up_proj'),
    )!;
    const limit = Math.min(inFeatures, outFeatures);
    expect(resolve({ r: limit, target_modules: ['up_proj'] })).toHaveLength(2);
    const error = failure({
      target_modules: ['q_proj'],
      rank_pattern: { 'layers.1.*': limit + 1 },
    });
    expect(error.code).toBe('adapter.rank_too_large');
    expect(error.message).toContain('model.layers.1.self_attn.q_proj');
    expect(error.message).toContain(`Rank ${limit + 1}`);
    expect(error.message).toContain(`at most ${limit}`);
  });

  test('an expression that is not one', () => {
    const error = failure({ target_modules: '.*q_proj\\Z' });
    expect(error.code).toBe('config.invalid_value');
    expect(error.message).toContain('`lora.target_modules`');
  });
});
