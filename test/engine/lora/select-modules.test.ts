import { describe, expect, test } from 'vitest';
import { LorafaError } from '../../../engine/errors.ts';
import type { LoraConfig } from '../../../engine/lora/lora-config.ts';
import { selectModules } from '../../../engine/lora/select-modules.ts';
import { readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { goldenJson, goldenPath } from '../../support/golden.ts';

interface TargetCase
  extends Omit<LoraConfig, 'lora_dropout' | 'exclude_modules' | 'layers_to_transform'> {
  readonly exclude_modules: string | string[] | null;
  readonly layers_to_transform: number | number[] | null;
  readonly expected: readonly ExpectedModule[] | null;
  readonly error?: string;
}

interface ExpectedModule {
  readonly module: string;
  readonly r: number;
  readonly lora_alpha: number;
  readonly scaling: number;
}

const { model, cases } = goldenJson<{ model: string; cases: TargetCase[] }>('targets.json');
const { config: decoder } = await readDecoderConfig(goldenPath('models', model));
const fail = (field: string, problem: string) =>
  new LorafaError('config.invalid_value', `${field} ${problem}`);

function select(golden: TargetCase): ExpectedModule[] {
  const { exclude_modules, layers_to_transform, expected, error, ...fields } = golden;
  const config: LoraConfig = {
    ...fields,
    lora_dropout: 0,
    ...(exclude_modules !== null && { exclude_modules }),
    ...(layers_to_transform !== null && { layers_to_transform }),
  };
  return selectModules(config, decoder, fail).modules.map(({ name, r, loraAlpha, scaling }) => ({
    module: name,
    r,
    lora_alpha: loraAlpha,
    scaling,
  }));
}

const named = cases.map((golden): [string, TargetCase] => {
  const { r, lora_alpha, use_rslora, expected, error, ...rest } = golden;
  return [JSON.stringify(rest, (_, value) => value ?? undefined), golden];
});
const inDecoder = ({ module }: ExpectedModule) => module.startsWith('model.layers.');
const accepted = named.filter(([, { expected }]) => expected?.some(inDecoder));

describe('selectModules', () => {
  test('the table has the cases that this test is about', () => {
    expect(accepted.length).toBeGreaterThan(30);
  });

  test.each(accepted)('adapts what PEFT adapts inside the decoder: %s', (_, golden) => {
    expect(select(golden)).toEqual(golden.expected!.filter(inDecoder));
  });

  test.each(named.filter(([, { error }]) => error?.startsWith('NoMatchingPeftModuleError')))(
    'finds nothing where PEFT finds nothing: %s',
    (_, golden) => {
      expect(select(golden)).toEqual([]);
    },
  );

  test('layers_to_transform narrows strings too, which PEFT refuses', () => {
    const refused = cases.filter(({ error }) => error?.includes('`layers_to_transform` cannot'));
    expect(refused.map((golden) => select(golden).map(({ module }) => module))).toEqual([
      ['q', 'k', 'v', 'o']
        .map((x) => `model.layers.1.self_attn.${x}_proj`)
        .concat(['gate', 'up', 'down'].map((x) => `model.layers.1.mlp.${x}_proj`)),
      ['model.layers.1.self_attn.q_proj'],
      ['q', 'k', 'v', 'o']
        .map((x) => `model.layers.1.self_attn.${x}_proj`)
        .concat(['up', 'down'].map((x) => `model.layers.1.mlp.${x}_proj`)),
    ]);
  });

  const plain = cases[0]!;

  test.each(['.*[', 'a)|(b', '(?P<x>q_proj)', '.*q_proj\\Z'])(
    'an invalid expression: %s',
    (text) => {
      expect(() => select({ ...plain, target_modules: text })).toThrow(
        /target_modules holds an invalid/,
      );
      expect(() => select({ ...plain, exclude_modules: text })).toThrow(
        /exclude_modules holds an inv/,
      );
      expect(() => select({ ...plain, rank_pattern: { [text]: 2 } })).toThrow(
        /rank_pattern holds an/,
      );
      expect(() => select({ ...plain, alpha_pattern: { [text]: 2 } })).toThrow(
        /alpha_pattern holds/,
      );
    },
  );
});
