import { readFile, truncate, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { type ParseError, parse } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { DiagnosticSeverity } from 'vscode-languageserver';
import { CPU, type Device } from '../../../engine/runtime/device.ts';
import { FACTS_OF_DRIVER } from '../../../engine/runtime/device-facts.ts';
import type {
  InspectorFacts,
  InspectorOptions,
} from '../../../server/language/inspection/config-inspector.ts';
import { ggufBytes } from '../../support/gguf-bytes.ts';
import { goldenPath } from '../../support/golden.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';
import { type Changes, ConfigWorkspace } from './config-workspace.ts';

/** Bytes that the runs of these tests may use. */
const PLENTY = 2 ** 33;

/** As if a run could have so many bytes, on whatever device, or nobody told how many. */
const withMemory = (bytes: number | undefined): InspectorOptions => ({
  facts: { ...FACTS_OF_DRIVER, auto: async () => CPU, availableMemory: async () => bytes },
});

interface Case {
  readonly changes: Changes;
  /** What else is in the folder. */
  readonly prepare?: (workspace: ConfigWorkspace) => Promise<void>;
  /** The token that is marked. */
  readonly marked: string;
  readonly code: string;
  readonly says: string;
  readonly severity?: DiagnosticSeverity;
  /** The quick fixes that are offered, in their order. */
  readonly fixes?: readonly string[];
  readonly memoryLimit?: number;
}

const chat = [
  {
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'yo' },
    ],
  },
];

/** Two compressed rows, and so many zeros behind them that they look like many, which nobody unpacks. */
async function writeLargePacked(file: string): Promise<void> {
  const rows = [HELD_TOO, { question: 'Why?', answer: 'So it is.' }];
  await writeFile(file, gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join('')));
  await truncate(file, 17 * 2 ** 20);
}

/** One of the rows that a workspace has. */
const HELD_TOO = { question: 'What is 3?', answer: 'It is the number 3.' };

/** Of an answer its text alone is learned, not its end. */
const WITHOUT_END =
  '{% for m in messages %}{% if m.role == "assistant" %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}';

const CASES: Readonly<Record<string, Case>> = {
  'a base model that is not there': {
    changes: { model: { base_model_name_or_path: './modle' } },
    marked: '"./modle"',
    code: 'model.not_found',
    says: 'There is no model at modle; did you mean model?',
    fixes: ['Change to "./model"'],
  },
  'a folder in a path that is misspelt': {
    changes: { model: { base_model_name_or_path: './modles/tiny' } },
    prepare: (workspace) => writeTinyModel(workspace.path('models/tiny')),
    marked: '"./modles/tiny"',
    code: 'model.not_found',
    says: 'did you mean models/tiny?',
    fixes: ['Change to "./models/tiny"'],
  },
  'a base model of which nothing like it is there': {
    changes: { model: { base_model_name_or_path: './llama' } },
    marked: '"./llama"',
    code: 'model.not_found',
    says: 'There is no model at llama; give a folder',
  },
  'a name on the Hub where a folder of the owner has something like it': {
    changes: { model: { base_model_name_or_path: 'models/tinny' } },
    prepare: (workspace) => writeTinyModel(workspace.path('models/tiny')),
    marked: '"models/tinny"',
    code: 'hub.not_cached',
    severity: DiagnosticSeverity.Information,
    says: 'since no file or folder has it (there is "models/tiny")',
    fixes: ['Change to "models/tiny"'],
  },
  'an architecture that is not known': {
    changes: { model: { base_model_name_or_path: 'gpt' } },
    prepare: (workspace) =>
      workspace.write(
        'gpt/config.json',
        '{"architectures":["BloomForCausalLM"],"model_type":"bloom"}',
      ),
    marked: '"gpt"',
    code: 'model.unsupported',
    says: 'the architecture "BloomForCausalLM" is not known',
  },
  'a GGUF file of an unknown architecture': {
    changes: { model: { base_model_name_or_path: 'bert.gguf' } },
    prepare: (workspace) =>
      workspace.write('bert.gguf', ggufBytes({ 'general.architecture': 'bert' })),
    marked: '"bert.gguf"',
    code: 'model.unsupported',
    says: '"bert"',
  },
  'damaged weights': {
    changes: {},
    prepare: (workspace) => workspace.write('model/model.safetensors', 'cut'),
    marked: '"model"',
    code: 'model.corrupt',
    says: 'model.safetensors',
  },
  'a misspelt target': {
    changes: { lora: { target_modules: ['q_prj', 'v_proj'] } },
    marked: '"q_prj"',
    code: 'adapter.no_target',
    says: 'did you mean "q_proj"?',
    fixes: [
      'Change to "q_proj"',
      'Remove `lora.target_modules.0`',
      'Set `lora.target_modules` to "all-linear"',
    ],
  },
  'a target as an expression': {
    changes: { lora: { target_modules: 'q_proj' } },
    marked: '"q_proj"',
    code: 'adapter.no_target',
    says: 'write it as a list',
    fixes: ['Change to ["q_proj"]', 'Change to "all-linear"'],
  },
  'the output layer as a target': {
    changes: { lora: { target_modules: ['q_proj', 'lm_head'] } },
    marked: '"lm_head"',
    code: 'adapter.no_target',
    says: 'only linear layers inside the decoder',
    fixes: ['Remove `lora.target_modules.1`', 'Set `lora.target_modules` to "all-linear"'],
  },
  'an exclusion without effect': {
    changes: { lora: { exclude_modules: ['q_prj'] } },
    marked: '"q_prj"',
    code: 'adapter.no_target',
    says: 'excludes "q_prj"',
    fixes: ['Remove `lora.exclude_modules`'],
  },
  'a layer that the model does not have': {
    changes: { lora: { layers_to_transform: [0, 7] } },
    marked: '[',
    code: 'adapter.no_target',
    says: 'names layer 7',
    fixes: ['Change to [0]'],
  },
  'a pattern key without effect': {
    changes: { lora: { rank_pattern: { q_prj: 2 } } },
    marked: '"q_prj"',
    code: 'adapter.no_target',
    says: 'has no effect',
    fixes: ['Remove `lora.rank_pattern.q_prj`'],
  },
  'a rank larger than a layer': {
    changes: { lora: { r: 64, target_modules: ['q_proj', 'k_proj'] } },
    marked: '64',
    code: 'adapter.rank_too_large',
    says: 'use a rank of at most 16',
    fixes: ['Change to 16'],
  },
  'a column of a mixed set that its rows do not have': {
    changes: {
      data: { mix: [{ dataset_name_or_path: 'talk.jsonl', weight: 0.5, text_column: 'conten' }] },
    },
    prepare: (workspace) => workspace.writeRows('talk.jsonl', [{ content: 'Hi there' }]),
    marked: '"conten"',
    code: 'data.missing_column',
    says: '`data.mix.0.text_column` names the column "conten"',
    fixes: ['Change to "content"'],
  },
  'a mixed set that is not there': {
    changes: { data: { mix: [{ dataset_name_or_path: './talk.jsonl' }] } },
    marked: '"./talk.jsonl"',
    code: 'data.not_found',
    says: 'it does not exist',
  },
  'a folder of several kinds of data': {
    changes: { data: { dataset_name_or_path: 'sets' } },
    prepare: async (workspace) => {
      await workspace.writeRows('sets/a.jsonl', [{ text: 'a' }]);
      await workspace.write('sets/b.csv', 'text\nb\n');
    },
    marked: '"sets"',
    code: 'config.invalid_value',
    says: 'has data files of several kinds (jsonl, csv)',
  },
  'an adapter that is not there': {
    changes: { lora: { r: undefined, lora_alpha: undefined, init_adapter: './old' } },
    marked: '"./old"',
    code: 'adapter.not_found',
    says: 'adapter_config.json',
  },
  'a data file that is not there': {
    changes: { data: { dataset_name_or_path: ['rows.jsonl', 'rows2.jsonl'] } },
    marked: '"rows2.jsonl"',
    code: 'data.not_found',
    says: 'Cannot read the data file rows2.jsonl: it does not exist; did you mean rows.jsonl?',
    fixes: ['Change to "rows.jsonl"'],
  },
  'some rows of a data file that is not there': {
    changes: { data: { dataset_name_or_path: './rwos.jsonl[:5]' } },
    marked: '"./rwos.jsonl[:5]"',
    code: 'data.not_found',
    says: 'did you mean rows.jsonl?',
    fixes: ['Change to "./rows.jsonl[:5]"'],
  },
  'a data file of an unknown format': {
    changes: { data: { dataset_name_or_path: 'rows.xml' } },
    prepare: (workspace) => workspace.write('rows.xml', '<rows/>'),
    marked: '"rows.xml"',
    code: 'config.invalid_value',
    says: 'Cannot tell the format',
  },
  'a large file that cannot be streamed': {
    changes: { data: { dataset_name_or_path: 'rows.jsonl.gz', streaming: true } },
    prepare: (workspace) => writeLargePacked(workspace.path('rows.jsonl.gz')),
    marked: '"rows.jsonl.gz"',
    code: 'config.invalid_value',
    says: 'its text (about 68 MiB) is more than the 64 MiB that are kept in memory then; unpack it, or set data.streaming to false',
    fixes: ['Set `data.streaming` to false'],
  },
  'a damaged data file': {
    changes: { data: { dataset_name_or_path: 'rows.json' } },
    prepare: (workspace) => workspace.write('rows.json', '[{"text": "cut'),
    marked: '"rows.json"',
    code: 'data.corrupt',
    says: 'it is not valid JSON',
  },
  'an empty data file': {
    changes: { data: { dataset_name_or_path: 'empty.jsonl' } },
    prepare: (workspace) => workspace.write('empty.jsonl', '\n'),
    marked: '"empty.jsonl"',
    code: 'data.empty',
    says: 'not a single row',
  },
  'held-out data that is not there': {
    changes: { data: { eval_dataset_name_or_path: 'held.jsonl' } },
    marked: '"held.jsonl"',
    code: 'data.not_found',
    says: 'it does not exist',
  },
  'a column that is not there': {
    changes: { data: { prompt_column: 'qestion', completion_column: 'answer' } },
    marked: '"qestion"',
    code: 'data.missing_column',
    says: 'has "question", "answer": did you mean "question"?',
    fixes: ['Change to "question"'],
  },
  'a template with a column that is not there': {
    changes: {
      data: { prompt_template: '{{answr}} {question}: ', completion_template: '{answr}' },
    },
    marked: '"{answr}"',
    code: 'data.missing_column',
    says: '"answr"',
    fixes: ['Change to "{answer}"'],
  },
  'a template with an open brace': {
    changes: { data: { prompt_template: '{question', completion_template: '{answer}' } },
    marked: '"{question"',
    code: 'config.invalid_value',
    says: 'without its counterpart',
  },
  'rows of an unknown shape': {
    changes: { data: { dataset_name_or_path: 'odd.jsonl' } },
    prepare: (workspace) => workspace.writeRows('odd.jsonl', [{ left: 'a b c', right: 'b c d' }]),
    marked: '"odd.jsonl"',
    code: 'data.missing_column',
    says: 'Cannot tell what to learn',
    fixes: [
      'Learn "right" from "left"',
      'Learn "left" from "right"',
      'Learn all of "right"',
      'Learn all of "left"',
    ],
  },
  'a column whose name is far from all': {
    changes: { data: { prompt_column: 'ticket', completion_column: 'answer' } },
    marked: '"ticket"',
    code: 'data.missing_column',
    says: '`data.prompt_column` names the column "ticket"',
    fixes: ['Learn "answer" from "question"'],
  },
  'a prompt without a completion': {
    changes: { data: { dataset_name_or_path: 'odd.jsonl', prompt_column: 'left' } },
    prepare: (workspace) => workspace.writeRows('odd.jsonl', [{ left: 'a b c', right: 'b c d' }]),
    marked: '"left"',
    code: 'data.missing_column',
    says: 'set data.completion_column',
    fixes: ['Learn "right" from "left"'],
  },
  'too many bad rows at the start of a file': {
    changes: {},
    prepare: (workspace) =>
      workspace.writeRows(
        'rows.jsonl',
        Array.from({ length: 25 }, (_, index) => ({
          question: 'a',
          ...(index !== 1 && { answer: 'b' }),
        })),
      ),
    marked: '"rows.jsonl"',
    code: 'data.bad_rows',
    says: 'rows.jsonl (rows 1 to 20) cannot be used',
  },
  'a format whose column is not there': {
    changes: { data: { format: 'text' } },
    marked: '"text"',
    code: 'data.missing_column',
    says: 'no column "text"',
    fixes: ['Learn all of "answer"', 'Learn all of "question"'],
  },
  'conversations for a model without a chat template': {
    changes: { data: { dataset_name_or_path: 'chat.jsonl' } },
    prepare: async (workspace) => {
      await workspace.writeRows('chat.jsonl', chat);
      await workspace.write('model/tokenizer_config.json', '{"eos_token":"<|im_end|>"}');
    },
    marked: '"chat.jsonl"',
    code: 'data.chat_template',
    says: 'has no chat template',
  },
  'rows in which nothing is learned': {
    changes: {},
    prepare: (workspace) =>
      workspace.writeRows('rows.jsonl', [
        { question: 'Why?', answer: 'So.' },
        { question: 'Where?', answer: '' },
      ]),
    marked: '"rows.jsonl"',
    code: 'data.no_supervision',
    says: 'rows.jsonl:2: the completion is empty',
    severity: DiagnosticSeverity.Warning,
  },
  'only rows in which nothing is learned': {
    changes: {},
    prepare: (workspace) =>
      workspace.writeRows('rows.jsonl', [{ question: 'Where?', answer: ' ' }]),
    marked: '"rows.jsonl"',
    code: 'data.no_supervision',
    says: 'Nothing would be learned',
  },
  'rows that are left out': {
    changes: { data: { max_bad_rows: 1 } },
    prepare: (workspace) =>
      workspace.writeRows('rows.jsonl', [
        { question: 'Why?', answer: 'So.' },
        { question: 'Where?', answer: null },
      ]),
    marked: '"rows.jsonl"',
    code: 'data.bad_rows',
    says: 'rows.jsonl:2: the column "answer" is null',
    severity: DiagnosticSeverity.Warning,
  },
  'rows that are cut': {
    changes: { data: { max_length: 64 } },
    prepare: (workspace) =>
      workspace.writeRows('rows.jsonl', [{ question: 'Why?', answer: 'So. '.repeat(40) }]),
    marked: '"rows.jsonl"',
    code: 'data.truncated',
    says: 'cut at `data.max_length`',
    severity: DiagnosticSeverity.Information,
  },
  'rows that are there twice': {
    changes: {},
    prepare: (workspace) =>
      workspace.writeRows('rows.jsonl', [
        { question: 'Why?', answer: 'So it is.' },
        { question: 'Where?', answer: 'Here it is.' },
        { question: 'Why?', answer: 'So it is.' },
      ]),
    marked: '"rows.jsonl"',
    code: 'data.duplicates',
    says: 'rows.jsonl:3: the row was there before in line 1',
    severity: DiagnosticSeverity.Warning,
  },
  'rows of which a single token is learned': {
    changes: { data: { chat_template: WITHOUT_END } },
    prepare: (workspace) =>
      workspace.writeRows('rows.jsonl', [
        { question: 'Why?', answer: 'So.' },
        { question: 'Where?', answer: 'X' },
      ]),
    marked: '"rows.jsonl"',
    code: 'data.single_token',
    says: 'rows.jsonl:2: of the row a single token is learned',
    severity: DiagnosticSeverity.Warning,
  },
  'prompts that run into their completions': {
    changes: { model: { base_model_name_or_path: 'plain' } },
    prepare: (workspace) => writeTinyModel(workspace.path('plain'), { chatTemplate: null }),
    marked: '"rows.jsonl"',
    code: 'data.unseparated',
    says: '12 of the first 20 rows run from the prompt into the completion: rows.jsonl:1, rows.jsonl:2, rows.jsonl:3: neither a space nor a line break',
    severity: DiagnosticSeverity.Warning,
    fixes: ['Write a line break between "question" and "answer"'],
  },
  'such prompts in columns that are named': {
    changes: {
      model: { base_model_name_or_path: 'plain' },
      data: { format: 'prompt_completion', prompt_column: 'question', completion_column: 'answer' },
    },
    prepare: (workspace) => writeTinyModel(workspace.path('plain'), { chatTemplate: null }),
    marked: '"rows.jsonl"',
    code: 'data.unseparated',
    says: '12 of the first 20 rows',
    severity: DiagnosticSeverity.Warning,
    fixes: ['Write a line break between "question" and "answer"'],
  },
  'templates that run together': {
    changes: { data: { prompt_template: '{question}', completion_template: '{answer}' } },
    marked: '"rows.jsonl"',
    code: 'data.unseparated',
    says: '12 of the first 20 rows',
    severity: DiagnosticSeverity.Warning,
    fixes: ['End the prompt with a line break'],
  },
  'rows of a mixed set that run together': {
    changes: {
      model: { base_model_name_or_path: 'plain' },
      data: {
        prompt_template: '{question}\n',
        completion_template: '{answer}',
        mix: [{ dataset_name_or_path: 'talk.jsonl', prompt_column: 'ask' }],
      },
    },
    prepare: async (workspace) => {
      await writeTinyModel(workspace.path('plain'), { chatTemplate: null });
      await workspace.writeRows('talk.jsonl', [{ ask: 'Who?', completion: 'Me it is.' }]);
    },
    marked: '"talk.jsonl"',
    code: 'data.unseparated',
    says: 'write one with data.mix.0.prompt_template',
    severity: DiagnosticSeverity.Warning,
    fixes: ['Write a line break between "ask" and "completion"'],
  },
  'rows that are held out and learned': {
    changes: { data: { eval_dataset_name_or_path: 'held.jsonl' } },
    prepare: (workspace) =>
      workspace.writeRows('held.jsonl', [{ question: 'Other?', answer: 'Another one.' }, HELD_TOO]),
    marked: '"held.jsonl"',
    code: 'data.shared',
    says: 'held.jsonl:2: the row is also learned from',
    severity: DiagnosticSeverity.Warning,
  },
  'a chat template that is not there': {
    changes: { data: { chat_template: 'none.jinja' } },
    marked: '"none.jinja"',
    code: 'data.chat_template',
    says: 'cannot be read',
  },
  'a chat template that is none': {
    changes: { data: { chat_template: '{% for m in messages %}' } },
    marked: '"{% for m in messages %}"',
    code: 'data.chat_template',
    says: 'The chat template of data.chat_template is not valid Jinja',
  },
  'a last answer of rows that have one': {
    changes: { data: { train_on: 'last_assistant' } },
    marked: '"last_assistant"',
    code: 'config.contradiction',
    says: 'a prompt with one completion',
  },
  'a split that leaves nothing': {
    changes: { data: { eval_split: 12 } },
    marked: '12',
    code: 'config.invalid_value',
    says: 'hold back all 12 rows',
    fixes: ['Remove `data.eval_split`'],
  },
  'an evaluation after the end of the run': {
    changes: { data: { eval_split: 2 }, training: { eval_steps: 500 } },
    marked: '500',
    code: 'plan.steps',
    says: 'larger than the run, which has 10 steps',
    severity: DiagnosticSeverity.Warning,
    fixes: ['Change to 5', 'Remove `training.eval_steps`'],
  },
  'a checkpoint after the end of the run': {
    changes: { training: { save_steps: 13 } },
    marked: '13',
    code: 'plan.steps',
    says: 'larger than the run, which has 12 steps',
    severity: DiagnosticSeverity.Information,
    fixes: ['Change to 6'],
  },
  'a warm-up that never ends': {
    changes: { training: { num_train_epochs: undefined, max_steps: 20, warmup_steps: 20 } },
    marked: '20',
    code: 'plan.steps',
    says: 'never reaches its peak',
    severity: DiagnosticSeverity.Warning,
    fixes: ['Change to 2', 'Remove `training.warmup_steps`'],
  },
};

test.each(Object.entries(CASES))('%s', async (_, each) => {
  const workspace = await ConfigWorkspace.create(withMemory(PLENTY));
  await each.prepare?.(workspace);
  const text = workspace.text(each.changes);
  const diagnostics = await workspace.diagnostics(text);
  expect(diagnostics).toHaveLength(1);
  const [diagnostic] = diagnostics;
  expect(diagnostic).toMatchObject({
    code: each.code,
    severity: each.severity ?? DiagnosticSeverity.Error,
    source: 'LoRA-FA',
    message: expect.stringContaining(each.says),
  });
  expect(diagnostic!.message).not.toMatch(/\.$|\n/);
  expect(workspace.document(text).getText(diagnostic!.range)).toBe(each.marked);

  const fixes = workspace.fixes(text, diagnostic!);
  expect(Object.keys(fixes)).toEqual(each.fixes ?? []);
  for (const [title, fixed] of Object.entries(fixes)) {
    const errors: ParseError[] = [];
    parse(fixed, errors, { allowTrailingComma: true });
    expect(errors, title).toEqual([]);
    expect(await workspace.diagnostics(fixed), title).toEqual([]);
    expect(fixed, title).toContain('// The section training');
  }
});

test('an adapter whose name is misspelt is named, and put right', async () => {
  const workspace = await ConfigWorkspace.create();
  await workspace.write('adapter/adapter_config.json', '{}');
  const init_adapter = 'adaptr';
  const text = workspace.text({ lora: { r: undefined, lora_alpha: undefined, init_adapter } });
  const [diagnostic] = await workspace.diagnostics(text);
  expect(diagnostic).toMatchObject({
    code: 'adapter.not_found',
    message: 'There is no adapter at adaptr; did you mean adapter?',
  });
  expect(Object.values(workspace.fixes(text, diagnostic!))).toEqual([
    text.replace('"adaptr"', '"adapter"'),
  ]);
});

test('a good configuration has no marks', async () => {
  const workspace = await ConfigWorkspace.create();
  expect(await workspace.diagnostics(workspace.text())).toEqual([]);
});

test('every wrong target is marked', async () => {
  const workspace = await ConfigWorkspace.create();
  const text = workspace.text({ lora: { target_modules: ['q_prj', 'v_proj', 'k_prj', 'gate'] } });
  const diagnostics = await workspace.diagnostics(text);
  const marked = diagnostics.map(({ range }) => workspace.document(text).getText(range));
  expect(marked).toEqual(['"q_prj"', '"k_prj"', '"gate"']);
});

test('a run that needs too much memory: every quick fix makes it fit', async () => {
  const many = Array.from({ length: 8 }, (_, index) => ({
    question: `Why ${index}?`,
    answer: 'Because of it. '.repeat(40),
  }));
  const changes = {
    data: { max_length: 512 },
    training: { per_device_train_batch_size: 8, gradient_checkpointing: 'none' },
  };
  const roomy = await ConfigWorkspace.create();
  await roomy.writeRows('rows.jsonl', many);
  const { memory } = await roomy.inspect(roomy.text(changes));
  const { total, activations } = memory!.estimate;

  const limit = total - activations / 6;
  const tight = await ConfigWorkspace.create(withMemory(limit));
  await tight.writeRows('rows.jsonl', many);
  const text = tight.text(changes);
  const [diagnostic, ...others] = (await tight.diagnostics(text)).filter(
    ({ code }) => code !== 'data.truncated',
  );
  expect(others).toEqual([]);
  expect(diagnostic).toMatchObject({
    code: 'plan.memory',
    severity: DiagnosticSeverity.Warning,
    message: expect.stringMatching(
      /^The run will need about \d+ MiB of memory at its peak, and \d+ MiB are free/,
    ),
  });
  const fixes = tight.fixes(text, diagnostic!);
  expect(Object.keys(fixes)).toEqual([
    'Change to 4 and set `training.gradient_accumulation_steps` to 2',
    expect.stringMatching(/^Set `data.max_length` to \d+$/),
  ]);
  for (const fixed of Object.values(fixes)) {
    const codes = (await tight.diagnostics(fixed)).map(({ code }) => code);
    expect(codes).not.toContain('plan.memory');
    expect(fixed).toContain('// The section training');
  }
});

test('a run whose evaluation needs too much memory: every quick fix makes it fit', async () => {
  const row = { question: 'Why?', answer: 'Because of it. '.repeat(40) };
  const rows = Array.from({ length: 20 }, () => row);
  const changes = {
    data: { max_length: 512, eval_split: 8 },
    training: {
      per_device_train_batch_size: 1,
      per_device_eval_batch_size: 8,
      gradient_checkpointing: 'layer',
    },
  };
  const roomy = await ConfigWorkspace.create();
  await roomy.writeRows('rows.jsonl', rows);
  const { memory } = await roomy.inspect(roomy.text(changes));
  const { total, evaluation, activations } = memory!.estimate;
  expect(evaluation).toBeGreaterThan(activations);

  const tight = await ConfigWorkspace.create(withMemory(total - evaluation / 6));
  await tight.writeRows('rows.jsonl', rows);
  const text = tight.text(changes);
  const found = await tight.diagnostics(text);
  const diagnostic = found.find(({ code }) => code === 'plan.memory')!;
  expect(diagnostic.message).toMatch(/^The run will need about .* at its peak, when it evaluates,/);
  expect(tight.document(text).getText(diagnostic.range)).toBe('8');
  const fixes = tight.fixes(text, diagnostic);
  expect(Object.keys(fixes)).toEqual([
    expect.stringMatching(/^Change to \d$/),
    expect.stringMatching(/^Set `data.max_length` to \d+$/),
  ]);
  for (const fixed of Object.values(fixes)) {
    const codes = (await tight.diagnostics(fixed)).map(({ code }) => code);
    expect(codes).not.toContain('plan.memory');
  }
});

test('a prompt that the chat template refuses is marked', async () => {
  const workspace = await ConfigWorkspace.create();
  const name = 'model/tokenizer_config.json';
  const tokenizer = JSON.parse(await readFile(workspace.path(name), 'utf8')) as object;
  const chat_template = "{{ raise_exception('No turns, please') }}";
  await workspace.write(name, JSON.stringify({ ...tokenizer, chat_template }));
  await workspace.writeRows('rows.jsonl', [{ text: 'Up.' }, { text: 'Down.' }]);
  const text = workspace.text({ training: { sample_prompts: ['Hi'] } });
  const [diagnostic, ...others] = await workspace.diagnostics(text);
  expect(others).toEqual([]);
  expect(diagnostic).toMatchObject({ code: 'data.chat_template' });
  expect(diagnostic!.message).toContain('No turns, please');
  expect(workspace.document(text).getText(diagnostic!.range)).toBe('[');
});

test('a graphics card is judged by its own memory, or else by that which the configuration names', async () => {
  const found = async (bytes: number | undefined, engine: object) => {
    const workspace = await ConfigWorkspace.create(withMemory(bytes));
    const diagnostics = await workspace.diagnostics(workspace.text({ engine: { ...engine } }));
    return diagnostics.map(({ message }) => message);
  };
  const short = [expect.stringContaining('1 KiB are free on cuda:1')];
  expect(await found(1024, { device: 'cuda:1' })).toEqual(short);
  expect(await found(undefined, { device: 'cuda:1' })).toEqual([]);
  expect(await found(undefined, { device: 'webgpu' })).toEqual([]);
  const allowed = [expect.stringContaining('what `engine.max_memory_gib` allows')];
  for (const device of ['cuda:1', 'webgpu']) {
    expect(await found(undefined, { device, max_memory_gib: 0.001 })).toEqual(allowed);
  }
});

test('where no device is named, a run is judged by the one that it would take', async () => {
  const webgpu: Device = { kind: 'webgpu', index: 0 };
  const judged = async (device: Device | undefined, ofCpu = PLENTY) => {
    const facts: InspectorFacts = {
      ...FACTS_OF_DRIVER,
      auto: async () => device,
      availableMemory: async ({ kind }) => ({ cpu: ofCpu, cuda: 1024, webgpu: undefined })[kind],
    };
    const workspace = await ConfigWorkspace.create({ facts });
    return (await workspace.diagnostics(workspace.text({ engine: { device: 'auto' } }))).map(
      ({ code }) => code,
    );
  };
  expect(await judged(CPU)).toEqual([]);
  expect(await judged(webgpu)).toEqual([]);
  // Whose buffers are too small for the model, so that it is the CPU.
  expect(await judged({ ...webgpu, largestBuffer: 1024 }, 1024)).toEqual(['plan.memory']);
  expect(await judged({ kind: 'cuda', index: 0 })).toEqual(['plan.memory']);
  // While nobody knows that one.
  expect(await judged(undefined)).toEqual([]);
});

test('marks follow the files: what changes on disk is seen, what does not is remembered', async () => {
  const workspace = await ConfigWorkspace.create();
  const text = workspace.text({ data: { prompt_column: 'ask', completion_column: 'answer' } });
  expect(await workspace.diagnostics(text)).toHaveLength(1);
  await workspace.writeRows('rows.jsonl', [{ ask: 'Why?', answer: 'So.' }]);
  expect(await workspace.diagnostics(text)).toEqual([]);
  await workspace.remove('model');
  expect(await workspace.diagnostics(text)).toMatchObject([{ code: 'model.not_found' }]);
});

test('a quantized model is looked at and not unpacked', async () => {
  const workspace = await ConfigWorkspace.create();
  const cache = process.env['LORAFA_CACHE_DIR'];
  process.env['LORAFA_CACHE_DIR'] = workspace.path('cache');
  try {
    const model = goldenPath('gguf', 'qwen2-q8_0.gguf');
    await workspace.inspect(workspace.text({ model: { base_model_name_or_path: model } }));
    await expect(workspace.remove('cache')).rejects.toThrow('ENOENT');
  } finally {
    if (cache === undefined) delete process.env['LORAFA_CACHE_DIR'];
    else process.env['LORAFA_CACHE_DIR'] = cache;
  }
});

test('files are looked at in spite of mistakes of the configuration itself', async () => {
  const workspace = await ConfigWorkspace.create();
  const text = workspace.text({
    model: { base_model_name_or_path: './nowhere' },
    lora: { r: -3, target_modules: ['q_proj', ''] },
    training: { method: 'lorafaa', learning_rte: 1 },
  });
  const diagnostics = await workspace.diagnostics(text);
  expect(diagnostics.map(({ code }) => code).sort()).toEqual([
    'config.invalid_value',
    'config.invalid_value',
    'config.invalid_value',
    'config.unknown_key',
    'model.not_found',
  ]);
});

test('names on the Hub are no mistakes', async () => {
  const workspace = await ConfigWorkspace.create();
  const text = workspace.text({
    model: { base_model_name_or_path: 'organisation/name' },
    data: { dataset_name_or_path: 'organisation/rows[:10]' },
  });
  const mark = { code: 'hub.not_cached', severity: DiagnosticSeverity.Information };
  expect(await workspace.diagnostics(text)).toMatchObject([mark, mark]);
});

test.each([
  {},
  { model: 3 },
  { data: { dataset_name_or_path: [] }, training: 'x' },
  { training: { lr_scheduler_kwargs: { min_lr: 1, x: [1] } }, lora: null },
])('a configuration that is hardly one (%j) has nothing to be inspected', async (value) => {
  const workspace = await ConfigWorkspace.create();
  expect(await workspace.inspect(JSON.stringify(value))).toEqual({ findings: [] });
});
