import { type ParseError, parse } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { configActions } from '../../../server/language/config-actions.ts';
import { configDiagnostics } from '../../../server/language/config-diagnostics.ts';

/** A configuration with more lines in its sections `lora`, `data` and `training`. */
function withLines({ root = '', lora = '', data = '', training = '' }) {
  return `{
  // The model
  "model": { "base_model_name_or_path": "base" }, ${root}
  "data": {
    "dataset_name_or_path": "rows.jsonl", // rows
    ${data}
  },
  "lora": { ${lora} },
  "training": {
    ${training}
    "output_dir": "out" // the end
  }
}
`;
}

function open(text: string): TextDocument {
  return TextDocument.create('file:///folder/run.lorafa.json', 'jsonc', 1, text);
}

/** For every quick fix of a text its title and the problems that are left after it. */
function fixes(text: string): Readonly<Record<string, readonly string[]>> {
  const document = open(text);
  const diagnostics = configDiagnostics(document, 'LoRA-FA');
  const fixed = configActions(document, diagnostics).map(({ title, edit }) => {
    const after = TextDocument.applyEdits(document, edit!.changes![document.uri]!);
    const errors: ParseError[] = [];
    parse(after, errors, { allowTrailingComma: true });
    expect(errors, after).toEqual([]);
    for (const comment of ['// The model', '// rows', '// the end'])
      expect(after).toContain(comment);
    const left = configDiagnostics(open(after), 'LoRA-FA').map(({ message }) => String(message));
    return [title, left] as const;
  });
  return Object.fromEntries(fixed);
}

test.each([
  [
    'a misspelt key',
    { training: '"learning_rte": 1e-4,' },
    ['Rename to `learning_rate`', 'Remove `training.learning_rte`'],
  ],
  [
    'a key in the wrong section',
    { lora: '"r": 4, "learning_rate": 1e-4' },
    ['Move to `training.learning_rate`', 'Remove `lora.learning_rate`'],
  ],
  [
    'a misspelt key in the wrong section',
    { data: '"lerning_rate": 1e-4,' },
    ['Move to `training.learning_rate`', 'Remove `data.lerning_rate`'],
  ],
  ['a key like no other', { root: '"x9": [1, 2],' }, ['Remove `x9`']],
  ['a misspelt value', { training: '"method": "lorfa",' }, ['Change to "lorafa"']],
  ['a misspelt value of a union', { lora: '"bias": "nonne"' }, ['Change to "none"']],
  [
    'a key without effect',
    { training: '"eval_steps": 5, // five' },
    ['Remove `training.eval_steps`'],
  ],
  [
    'two keys that exclude each other',
    { training: '"warmup_steps": 5, "warmup_ratio": 0.1,' },
    ['Remove `training.warmup_ratio`'],
  ],
  [
    'two lengths of a run',
    { training: '"max_steps": 5, "num_train_epochs": 2,' },
    ['Remove `training.num_train_epochs`', 'Remove `training.max_steps`'],
  ],
  [
    'a schedule without its settings',
    { training: '"lr_scheduler_type": "cosine_with_min_lr",' },
    ['Set `training.lr_scheduler_kwargs` to {"min_lr_rate":0.1}'],
  ],
])('%s: each quick fix solves it and keeps the comments', (_, lines, titles) => {
  const offered = fixes(withLines(lines));
  expect(Object.keys(offered)).toEqual(titles);
  for (const left of Object.values(offered)) expect(left).toEqual([]);
});

test('a renamed key keeps its value, its place and its comment', () => {
  const document = open(withLines({ training: '/* fast */ "learning_rte": 1e-4, // slow' }));
  const [rename] = configActions(document, configDiagnostics(document, 'LoRA-FA'));
  const edits = rename!.edit!.changes![document.uri]!;
  expect(TextDocument.applyEdits(document, edits)).toContain(
    '/* fast */ "learning_rate": 1e-4, // slow',
  );
  expect(rename).toMatchObject({ isPreferred: true, kind: 'quickfix' });
});

test.each([
  ['a value', '"warmup_steps": -1,'],
  ['a key', '"output_dir": "out",'],
])('%s that only a person can correct has no quick fix', (_, training) => {
  expect(fixes(withLines({ training }))).toEqual({});
});

test('a name that is there already is not given twice', () => {
  const lines = { training: '"seed": 1, "sede": 2,' };
  expect(Object.keys(fixes(withLines(lines)))).toEqual(['Remove `training.sede`']);
});

test('a text that has changed since, and data of others, are left alone', () => {
  const diagnostics = configDiagnostics(open(withLines({ lora: '"rr": 4' })), 'LoRA-FA');
  expect(configActions(open('{ "lora": '), diagnostics)).toEqual([]);
  expect(configActions(open(withLines({})), diagnostics)).toEqual([]);
  const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };
  const foreign = [undefined, 3, { remedies: [{ kind: 'delete everything' }], path: [] }];
  for (const data of foreign) {
    expect(configActions(open('{}'), [{ range, message: 'x', data }])).toEqual([]);
  }
});
