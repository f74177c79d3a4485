import { parse } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import {
  changedRange,
  NotAnObjectError,
  withoutValue,
  withValue,
} from '../../../server/language/config-edit.ts';

const CONFIG = `// Answers as the support team does.
{
  "model": { "base_model_name_or_path": "base" }, // never changed
  "data": {
    // The rows of last year.
    "dataset_name_or_path": "train.jsonl"
  },
  "lora": {
    "r": 16, // more is slower
    "target_modules": [
      "q_proj", // queries
      "v_proj" // values
    ],
    /* twice r */ "lora_alpha": 32
  }
}
`;

test('a value is replaced where it stands and nothing else changes', () => {
  expect(withValue(CONFIG, ['lora', 'r'], 64)).toBe(CONFIG.replace('16', '64'));
  expect(withValue(CONFIG, ['model', 'base_model_name_or_path'], 'a "b"')).toBe(
    CONFIG.replace('"base"', '"a \\"b\\""'),
  );
});

test('an equal value changes nothing, however it is written', () => {
  const text = '{ "training": { "learning_rate": 1e-4 } }';
  expect(withValue(text, ['training', 'learning_rate'], 0.0001)).toBe(text);
  expect(withValue(CONFIG, ['lora', 'target_modules'], ['q_proj', 'v_proj'])).toBe(CONFIG);
});

test('a new key goes behind the last one, whose comment stays with it', () => {
  expect(withValue(CONFIG, ['lora', 'use_rslora'], true)).toBe(
    CONFIG.replace('"lora_alpha": 32', '"lora_alpha": 32,\n    "use_rslora": true'),
  );
  expect(withValue('{\n\t"r": 1 // one\n}', ['s'], 2)).toBe('{\n\t"r": 1, // one\n\t"s": 2\n}');
  expect(withValue('{ "a": { "r": 1 /* one */ } }', ['a', 's'], 2)).toBe(
    '{ "a": { "r": 1, "s": 2 /* one */ } }',
  );
  expect(withValue('{\n  "r": 1, // one\n}', ['s'], 2)).toBe('{\n  "r": 1, // one\n  "s": 2,\n}');
});

test('a section that is missing is made, with the line ends and the indentation of the file', () => {
  expect(withValue('{\r\n    "a": 1\r\n}\r\n', ['engine', 'device'], 'cpu')).toBe(
    '{\r\n    "a": 1,\r\n    "engine": {\r\n        "device": "cpu"\r\n    }\r\n}\r\n',
  );
  expect(withValue('{}', ['lora', 'rank_pattern'], { down_proj: 32 })).toBe(
    '{\n  "lora": {\n    "rank_pattern": { "down_proj": 32 }\n  }\n}',
  );
});

test('a file without any value becomes an object behind its comments', () => {
  expect(withValue('', ['lora', 'r'], 8)).toBe('{\n  "lora": {\n    "r": 8\n  }\n}\n');
  expect(withValue('// mine\n', ['lora', 'r'], 8)).toBe(
    '// mine\n{\n  "lora": {\n    "r": 8\n  }\n}\n',
  );
});

test('a key inside what is no object is refused', () => {
  expect(() => withValue('{ "lora": 5 }', ['lora', 'r'], 8)).toThrow(NotAnObjectError);
  expect(() => withValue('[]', ['lora', 'r'], 8)).toThrow(NotAnObjectError);
  expect(withoutValue('{ "lora": 5 }', ['lora', 'r'])).toBe('{ "lora": 5 }');
});

describe('lists', () => {
  const edit = (next: readonly string[]): string =>
    withValue(CONFIG, ['lora', 'target_modules'], next);

  test('get an item on a line of its own', () => {
    expect(edit(['q_proj', 'v_proj', 'o_proj'])).toBe(
      CONFIG.replace('"v_proj" // values', '"v_proj", // values\n      "o_proj"'),
    );
    expect(edit(['q_proj', 'k_proj', 'v_proj'])).toBe(
      CONFIG.replace('// queries', '// queries\n      "k_proj",'),
    );
    expect(edit(['k_proj', 'q_proj', 'v_proj'])).toBe(
      CONFIG.replace('"q_proj",', '"k_proj",\n      "q_proj",'),
    );
  });

  test('lose an item and keep the comments, also its own', () => {
    expect(edit(['v_proj'])).toBe(CONFIG.replace('"q_proj", // queries', '// queries'));
    expect(edit(['q_proj'])).toBe(
      CONFIG.replace('"q_proj", // queries\n      "v_proj" //', '"q_proj" // queries\n      //'),
    );
  });

  test('change an item in place', () => {
    expect(edit(['q_proj', 'o_proj'])).toBe(CONFIG.replace('"v_proj"', '"o_proj"'));
  });

  test('become another kind of value, and come back', () => {
    const text = '{ "lora": { "target_modules": "all-linear" } }';
    const list = '{ "lora": { "target_modules": ["a", "b"] } }';
    expect(withValue(text, ['lora', 'target_modules'], ['a', 'b'])).toBe(list);
    expect(withValue(list, ['lora', 'target_modules'], 'all-linear')).toBe(text);
    expect(withValue(list, ['lora', 'target_modules'], ['a'])).toBe(list.replace(', "b"', ''));
  });
});

test('records keep their order when a name changes', () => {
  const text = '{ "lora": { "rank_pattern": { "a": 1, "b": 2, "c": 3 } } }';
  const edited = withValue(text, ['lora', 'rank_pattern'], { a: 1, beta: 2, c: 3 });
  expect(edited).toBe(text.replace('"b"', '"beta"'));
});

describe('a cleared key', () => {
  test('goes with its line and its comma', () => {
    expect(withoutValue(CONFIG, ['data', 'dataset_name_or_path'])).toBe(
      CONFIG.replace('    "dataset_name_or_path": "train.jsonl"\n', ''),
    );
    expect(withoutValue('{\n  "a": 1,\n  "b": 2\n}', ['a'])).toBe('{\n  "b": 2\n}');
    expect(withoutValue('{\n  "a": 1, // one\n  "b": 2\n}', ['b'])).toBe('{\n  "a": 1 // one\n}');
    expect(withoutValue('{ "a": 1, "b": 2, "c": 3 }', ['b'])).toBe('{ "a": 1, "c": 3 }');
    expect(withoutValue('{ "a": 1, "b": 2 }', ['b'])).toBe('{ "a": 1 }');
    expect(withoutValue('{ "a": 1 }', ['a'])).toBe('{ }');
  });

  test('leaves every comment', () => {
    expect(withoutValue(CONFIG, ['lora', 'r'])).toBe(CONFIG.replace('"r": 16, // more', '// more'));
    expect(withoutValue(CONFIG, ['lora', 'lora_alpha'])).toBe(
      CONFIG.replace('],\n    /* twice r */ "lora_alpha": 32', ']\n    /* twice r */ '),
    );
  });

  test('takes the object inside a section with it when it was the last', () => {
    const text = '{ "training": { "seed": 1, "lr_scheduler_kwargs": { "min_lr": 1 } } }';
    expect(withoutValue(text, ['training', 'lr_scheduler_kwargs', 'min_lr'])).toBe(
      '{ "training": { "seed": 1 } }',
    );
  });

  test('that is not there changes nothing', () => {
    expect(withoutValue(CONFIG, ['engine', 'device'])).toBe(CONFIG);
    expect(withoutValue('', ['engine', 'device'])).toBe('');
  });
});

test('whatever is edited, the text says it and no comment is lost', () => {
  const comments = (text: string): string[] => text.match(/\/\/.*|\/\*.*?\*\//g) ?? [];
  const values = [0, 'x', true, [], ['a', 'b', 'c'], ['b'], { a: 1, b: 2 }, {}];
  const paths = [
    ['lora', 'r'],
    ['lora', 'target_modules'],
    ['data', 'x'],
    ['engine', 'x'],
  ];
  for (const path of paths) {
    for (const first of values) {
      for (const second of values) {
        const text = withValue(withValue(CONFIG, path, first), path, second);
        expect(valueAt(text, path), text).toEqual(second);
        const gone = withoutValue(text, path);
        expect(valueAt(gone, path), gone).toBeUndefined();
        // Comments inside a list go when the whole list becomes something else.
        if (path[1] !== 'target_modules') expect(comments(gone)).toEqual(comments(CONFIG));
      }
    }
  }
});

test('the range that changes is as short as it can be', () => {
  expect(changedRange('abcde', 'abXde')).toEqual({ start: 2, end: 3, text: 'X' });
  expect(changedRange('aa', 'aaa')).toEqual({ start: 2, end: 2, text: 'a' });
  expect(changedRange('same', 'same')).toEqual({ start: 4, end: 4, text: '' });
});

function valueAt(text: string, path: readonly string[]): unknown {
  const errors: never[] = [];
  const root: unknown = parse(text, errors, { allowTrailingComma: true });
  expect(errors, text).toEqual([]);
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], root);
}
