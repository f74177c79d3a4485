import { expect, test } from 'vitest';
import { readFormState } from '../../../extension/config-editor/form-state.ts';

const TEXT = `{
  // Comments and a trailing comma are fine.
  "lora": { "r": 0, "target_modules": ["q", "zz"], },
}`;

function pathOf(text: string, at: string) {
  const problem = {
    offset: text.indexOf(at),
    severity: 'error',
    message: 'no',
    fixes: [],
  } as const;
  return readFormState(text, [problem], {}).problems[0]?.path;
}

test('problems get the path of the key or value at which they stand', () => {
  expect(pathOf(TEXT, '0,')).toEqual(['lora', 'r']);
  expect(pathOf(TEXT, '"r"')).toEqual(['lora', 'r']);
  expect(pathOf(TEXT, '"zz"')).toEqual(['lora', 'target_modules', 1]);
  expect(pathOf(TEXT, '"lora"')).toEqual(['lora']);
  expect(pathOf(TEXT, '{')).toEqual([]);
});

test('a text is read with its comments', () => {
  expect(readFormState(TEXT, [], {})).toEqual({
    values: { lora: { r: 0, target_modules: ['q', 'zz'] } },
    syntaxError: null,
    problems: [],
  });
});

test('while the syntax is broken the last values stay, and problems belong to the whole', () => {
  const last = { lora: { r: 8 } };
  const broken = '{\n  "lora": { "r": 16\n';
  const said = { severity: 'error', message: 'Expected comma', fixes: [] } as const;
  expect(readFormState(broken, [{ offset: 12, ...said }], last)).toEqual({
    values: last,
    syntaxError: { line: 3, column: 1 },
    problems: [{ path: [], ...said }],
  });
  const deep = '['.repeat(100_000);
  expect(readFormState(deep, [], last)).toMatchObject({ values: last, syntaxError: { line: 1 } });
});

test('a file without any value is a configuration without any key', () => {
  for (const text of ['', '\n', '// nothing yet\n']) {
    expect(readFormState(text, [], { old: 1 })).toMatchObject({ values: {}, syntaxError: null });
  }
});
