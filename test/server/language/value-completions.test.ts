import { expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { valueCompletions } from '../../../server/language/value-completions.ts';
import { NvidiaSmi } from '../../support/nvidia-smi.ts';
import { ConfigWorkspace } from './config-workspace.ts';

/** The text after each completion at the `|` was accepted, by label. */
async function completions(
  workspace: ConfigWorkspace,
  marked: string,
): Promise<Readonly<Record<string, string>>> {
  const document = workspace.document(marked.replace('|', ''));
  const position = document.positionAt(marked.indexOf('|'));
  const items = await valueCompletions(document, position, workspace.inspector);
  const accepted = items.map(({ label, textEdit, filterText }) => {
    if (textEdit === undefined || !('range' in textEdit)) throw new Error(`${label}: no edit`);
    // VS Code compares what stands in the range before the cursor with the filter text.
    const typed = document.getText({ start: textEdit.range.start, end: position });
    expect(filterText).toContain(typed.slice(0, 1));
    return [label, TextDocument.applyEdits(document, [textEdit])] as const;
  });
  return Object.fromEntries(accepted);
}

async function workspaceWithFiles(): Promise<ConfigWorkspace> {
  const workspace = await ConfigWorkspace.create();
  await workspace.write('small.gguf', 'x');
  await workspace.write('notes.md', 'x');
  await workspace.write('.hidden/rows.jsonl', 'x');
  await workspace.write('sets/more.csv', 'a,b\n1,2\n');
  await workspace.write('adapters/one/adapter_config.json', '{}');
  return workspace;
}

test('base models: folders with a config.json and GGUF files, and the folders on the way', async () => {
  const workspace = await workspaceWithFiles();
  const at = (text: string) => `{ "model": { "base_model_name_or_path": ${text} } }`;
  expect(await completions(workspace, at('"|"'))).toEqual({
    model: at('"model"'),
    'model/': at('"model/"'),
    'small.gguf': at('"small.gguf"'),
    'sets/': at('"sets/"'),
    'adapters/': at('"adapters/"'),
  });
});

test('data files below the typed folder, alone or in a list', async () => {
  const workspace = await workspaceWithFiles();
  const alone = '{ "data": { "dataset_name_or_path": "sets/mo|" } }';
  expect(await completions(workspace, alone)).toEqual({
    'sets/more.csv': '{ "data": { "dataset_name_or_path": "sets/more.csv" } }',
  });
  const inList = '{ "data": { "eval_dataset_name_or_path": ["rows.jsonl", "./ro|ws"] } }';
  expect(await completions(workspace, inList)).toMatchObject({
    './rows.jsonl': '{ "data": { "eval_dataset_name_or_path": ["rows.jsonl", "./rows.jsonl"] } }',
  });
  const bare = '{ "data": { "dataset_name_or_path": | } }';
  expect(await completions(workspace, bare)).toMatchObject({
    'rows.jsonl': '{ "data": { "dataset_name_or_path": "rows.jsonl" } }',
  });
});

test('chat templates are files of Jinja', async () => {
  const workspace = await ConfigWorkspace.create();
  await workspace.write('own.jinja', '');
  await workspace.write('own.txt', '');
  const found = await completions(workspace, '{ "data": { "chat_template": "o|" } }');
  expect(found).toHaveProperty(['own.jinja'], '{ "data": { "chat_template": "own.jinja" } }');
  expect(found).not.toHaveProperty(['own.txt']);
});

test('adapters are folders with an adapter_config.json', async () => {
  const workspace = await workspaceWithFiles();
  expect(
    await completions(workspace, '{ "lora": { "init_adapter": "adapters/|" } }'),
  ).toHaveProperty(['adapters/one'], '{ "lora": { "init_adapter": "adapters/one" } }');
});

test('columns of the data, whatever else is wrong with the configuration', async () => {
  const workspace = await workspaceWithFiles();
  const text = (value: string) =>
    `{ "data": { "dataset_name_or_path": ["rows.jsonl", "sets/more.csv", "gone.csv"], "prompt_column": ${value} } }`;
  expect(await completions(workspace, text('"|"'))).toEqual({
    question: text('"question"'),
    answer: text('"answer"'),
    a: text('"a"'),
    b: text('"b"'),
  });
});

test('columns in templates go into braces', async () => {
  const workspace = await workspaceWithFiles();
  const text = (value: string) =>
    `{ "data": { "dataset_name_or_path": "rows.jsonl", "completion_template": "${value}" } }`;
  expect(await completions(workspace, text('Q: {que|'))).toHaveProperty(
    ['{question}'],
    text('Q: {question}'),
  );
  expect(await completions(workspace, text('{{x}} |'))).toHaveProperty(
    ['{answer}'],
    text('{{x}} {answer}'),
  );
});

test('layers of this model: short names first, then full ones', async () => {
  const workspace = await workspaceWithFiles();
  const text = (value: string) =>
    `{ "model": { "base_model_name_or_path": "model" }, "lora": { "target_modules": ${value} } }`;
  const inList = await completions(workspace, text('["q_proj", "|"]'));
  expect(Object.keys(inList).slice(0, 6)).toEqual([
    'k_proj',
    'v_proj',
    'o_proj',
    'gate_proj',
    'up_proj',
    'down_proj',
  ]);
  expect(inList['model.layers.1.mlp.up_proj']).toBe(
    text('["q_proj", "model.layers.1.mlp.up_proj"]'),
  );
  // Alone, a name would be a regular expression.
  expect(await completions(workspace, text('"|"'))).toHaveProperty(
    ['["q_proj"]'],
    text('["q_proj"]'),
  );
});

test.each([
  '|',
  '{ "model": { "base_model_name_or_path": "nowhere/|" } }',
  '{ "data": { "prompt_column": "|" } }',
  '{ "data": { "dataset_name_or_path": 3, "prompt_column": "|" } }',
  '{ "model": { "base_model_name_or_path": "gone" }, "lora": { "target_modules": ["|"] } }',
  '{ "model": { "|": 1 } }',
  '{ "training": { "method": "|" } }',
])('nothing is offered where nothing is known: %s', async (text) => {
  expect(await completions(await workspaceWithFiles(), text)).toEqual({});
});

test('a mixed set has its own files and columns', async () => {
  const workspace = await workspaceWithFiles();
  const set = (keys: string) =>
    `{ "data": { "dataset_name_or_path": "rows.jsonl", "mix": [{ ${keys} }] } }`;
  expect(
    Object.keys(await completions(workspace, set('"dataset_name_or_path": "sets/|"'))),
  ).toEqual(['sets/more.csv']);
  const columns = set('"dataset_name_or_path": "sets/more.csv", "prompt_column": "|"');
  expect(Object.keys(await completions(workspace, columns))).toEqual(['a', 'b']);
});

test.skipIf(process.platform === 'win32')(
  'devices: the GPUs that there are, by name and memory',
  async () => {
    const workspace = await ConfigWorkspace.create();
    const at = (text: string) => `{ "engine": { "device": ${text} } }`;
    const driver = await NvidiaSmi.install(
      '0, NVIDIA GeForce RTX 4090, 580.1, 24576, 2048, 22528, 1, 40, 50',
      '1, NVIDIA T4, 580.1, [N/A], [N/A], [N/A], 1, 40, 50',
    );
    expect(await completions(workspace, at('"|"'))).toEqual({
      'cuda:0': at('"cuda:0"'),
      'cuda:1': at('"cuda:1"'),
    });
    const document = workspace.document(at('""'));
    const position = document.positionAt(at('"').length - 4);
    const items = await valueCompletions(document, position, workspace.inspector);
    expect(items.map(({ detail }) => detail)).toEqual([
      'NVIDIA GeForce RTX 4090, 22.0 GiB free of 24.0 GiB',
      'NVIDIA T4',
    ]);
    await driver.fail();
    expect(await completions(workspace, at('"|"'))).toEqual({});
  },
);
