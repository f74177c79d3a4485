import { expect, test } from 'vitest';
import { configJsonSchema } from '../../../engine/config/schema.ts';
import { REPORT_TARGETS } from '../../../engine/config/training-section.ts';
import { configForm, type FormField } from '../../../server/language/config-form.ts';

const form = configForm();
const fields = new Map<string, FormField>(
  form.sections.flatMap((section) => section.fields.map((field) => [field.path.join('.'), field])),
);

test('the form has every key of the schema, in its order, with its help', () => {
  const sections = configJsonSchema().properties!;
  expect(form.sections.map(({ name }) => name)).toEqual(Object.keys(sections));
  for (const { name, fields: inSection } of form.sections) {
    const keys = Object.keys(sections[name]!.properties!);
    expect([...new Set(inSection.map(({ path }) => path[1]))]).toEqual(keys);
  }
  for (const { description, accepts } of fields.values()) {
    expect(description).not.toBe('');
    expect(accepts).not.toBe('');
  }
});

test('each kind of value has its control', () => {
  const controls = Object.fromEntries([...fields].map(([key, { control }]) => [key, control]));
  expect(controls).toMatchObject({
    'model.base_model_name_or_path': { kind: 'text', isMultiline: false, browse: 'model' },
    'data.dataset_name_or_path': { kind: 'list', items: 'text', browse: 'data' },
    'data.eval_split': { kind: 'number' },
    'data.mix': { kind: 'objects' },
    'data.prompt_template': { kind: 'text', isMultiline: true },
    'data.chat_template': { kind: 'text', isMultiline: true, browse: 'template' },
    'data.train_on': {
      kind: 'choice',
      options: ['assistant', 'last_assistant', 'all'],
      isOpen: false,
    },
    'data.text_column': { kind: 'column' },
    'data.apply_chat_template': { kind: 'choice', options: ['auto', true, false], isOpen: false },
    'lora.r': { kind: 'number' },
    'lora.target_modules': { kind: 'names' },
    'lora.layers_to_transform': { kind: 'list', items: 'number' },
    'lora.rank_pattern': { kind: 'record' },
    'lora.use_rslora': { kind: 'switch' },
    'training.method': { kind: 'choice', options: ['lorafa', 'lora', 'full'], isOpen: false },
    'training.output_dir': { kind: 'text', browse: 'folder' },
    'training.report_to': { kind: 'choices', options: [...REPORT_TARGETS] },
    'training.logging_dir': { kind: 'text', browse: 'folder' },
    'training.lr_scheduler_kwargs.min_lr': { kind: 'number' },
    'engine.device': { kind: 'device', options: ['auto', 'cpu', 'cuda', 'webgpu'] },
  });
});

test('required keys and defaults are told', () => {
  const required = [...fields].filter(([, { isRequired }]) => isRequired).map(([key]) => key);
  expect(required).toEqual([
    'model.base_model_name_or_path',
    'data.dataset_name_or_path',
    'training.output_dir',
  ]);
  expect(fields.get('lora.r')?.default).toBe(16);
  expect(fields.get('lora.use_rslora')?.default).toBe(false);
  expect(fields.get('training.max_steps')).not.toHaveProperty('default');
});

test('a default that depends on the method is told in words', () => {
  const epsilon = fields.get('training.adam_epsilon')!;
  expect(epsilon).not.toHaveProperty('default');
  expect(epsilon.control).toEqual({ kind: 'number' });
  expect(epsilon.description).toContain('Default: `1e-6` with the method `lorafa`');
  expect(epsilon.description).toContain('`1e-8` with `lora` and `full`');
});

test('the form survives as JSON, which is how the build hands it to the page', () => {
  expect(JSON.parse(JSON.stringify(form))).toEqual(form);
});
