import { describe, expect, test } from 'vitest';
import { parseDecoderConfig } from '../../../engine/architectures/hugging-face-config.ts';
import { linearModules } from '../../../engine/architectures/linear-modules.ts';
import { goldenJson } from '../../support/golden.ts';

const gemma = goldenJson<{ text_config: object }>('models', 'gemma3-whole', 'config.json');
const parse = (json: object) => parseDecoderConfig(json, 'config.json');

describe('the text part of a model that reads images', () => {
  test('has the end tokens of the whole model, where its own are not said', () => {
    const { eos_token_id: _, ...text } = gemma.text_config as Record<string, unknown>;
    const published = { ...gemma, eos_token_id: [1, 106 % 96], text_config: text };
    expect(parse(published).eosTokenIds).toEqual([1, 10]);
    expect(parse(gemma).eosTokenIds).toEqual([2]);
  });

  test('is called as in the whole model', () => {
    const names = linearModules(parse(gemma)).map(({ name }) => name);
    expect(names.every((name) => name.startsWith('model.language_model.layers.'))).toBe(true);
  });

  test.each([
    [{ text_config: undefined }, 'model.corrupt', /"text_config" is wrong/],
    [{ text_config: { model_type: 'llama' } }, 'model.unsupported', /"llama" in text_config/],
    [{ quantization_config: { quant_method: 'fp8' } }, 'model.unsupported', /fp8/],
  ])('%j is refused', (changes, code, message) => {
    expect(() => parse({ ...gemma, ...changes })).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});
