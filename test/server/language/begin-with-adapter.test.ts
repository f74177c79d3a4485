import { parse } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { beginWithAdapter } from '../../../server/language/begin-with-adapter.ts';

const TEXT = `{
  // The model.
  "model": { "base_model_name_or_path": "base" },
  "lora": {
    // What r is.
    "r": 64,
    "lora_dropout": 0.1, // kept
    "target_modules": "all-linear",
  },
  "training": { "output_dir": "runs/first", "max_steps": 9, "resume_from_checkpoint": "latest" }
}
`;

test('what the adapter decides is left out, and all else stays, comments too', () => {
  const text = beginWithAdapter(TEXT, 'runs/first');
  expect(parse(text)).toEqual({
    model: { base_model_name_or_path: 'base' },
    lora: { lora_dropout: 0.1, init_adapter: 'runs/first' },
    training: { output_dir: 'runs/first', max_steps: 9 },
  });
  for (const comment of ['// The model.', '// What r is.', '// kept']) {
    expect(text).toContain(comment);
  }
});

test('a section that is missing is made, and another adapter is replaced', () => {
  expect(parse(beginWithAdapter('{ "training": {} }', 'a'))).toEqual({
    training: {},
    lora: { init_adapter: 'a' },
  });
  expect(parse(beginWithAdapter('', 'a'))).toEqual({ lora: { init_adapter: 'a' } });
  expect(parse(beginWithAdapter('{ "lora": { "init_adapter": "b" } }', 'a'))).toEqual({
    lora: { init_adapter: 'a' },
  });
});

test.each([
  ['{ "lora": { "r": }', 'config.syntax'],
  ['{ "lora": 3 }', 'config.invalid_value'],
  ['[1]', 'config.invalid_value'],
])('%s is refused', (text, code) => {
  expect(() => beginWithAdapter(text, 'a')).toThrow(expect.objectContaining({ code }));
});
