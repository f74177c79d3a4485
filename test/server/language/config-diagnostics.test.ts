import { expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { configDiagnostics } from '../../../server/language/config-diagnostics.ts';

/** Diagnostics of a text as pairs of what is underlined and what is said. */
function marks(text: string): readonly (readonly [string, unknown])[] {
  const document = TextDocument.create('file:///folder/run.lorafa.json', 'jsonc', 1, text);
  return configDiagnostics(document, 'LoRA-FA').map(({ range, message }) => [
    document.getText(range),
    message,
  ]);
}

const sections = `"model": { "base_model_name_or_path": "base" },
  "data": { "dataset_name_or_path": "train.jsonl" },`;

test('a good configuration has no marks', () => {
  expect(marks(`{ ${sections} "training": { "output_dir": "out" } }`)).toEqual([]);
});

test('a misspelt key is underlined whole, a wrong value under the value', () => {
  const text = `{ ${sections}
    "training": {
      "output_dir": "out", // 😀 does not shift columns
      /* 😀 */ "learning_rte": 1e-4,
      "method": "lorafaa",
      "max_steps": -12.5,
    }
  }`;
  expect(marks(text)).toEqual([
    ['"learning_rte"', expect.stringContaining('did you mean `training.learning_rate`?')],
    ['"lorafaa"', expect.stringContaining('must be "lorafa", "lora" or "full"')],
    ['-12.5', expect.stringContaining('must be a whole number')],
  ]);
});

test('what is missing is shown at the key of the section, or at the opening brace', () => {
  expect(marks(`{ ${sections} "training": {} }`)).toEqual([
    ['"training"', expect.stringContaining('`training.output_dir` is missing')],
  ]);
  expect(marks(`{ ${sections} }`)).toEqual([
    ['{', expect.stringMatching(/^The section `training` is missing/)],
  ]);
});

test.each(['\n', '\r\n', '\r'])('lines may end with %j', (end) => {
  const text = ['{', sections.replaceAll('\n', end), '"training": 3', '}'].join(end);
  expect(marks(text)).toEqual([['3', expect.stringContaining('`training` must be an object')]]);
});

test.each(['', '{', '{ "model": }', '[1, 2'])('broken JSON (%j) is left to VS Code', (text) => {
  expect(marks(text)).toEqual([]);
});
