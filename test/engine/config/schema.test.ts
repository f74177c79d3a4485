import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../engine/config/parse.ts';
import { configReference } from '../../../engine/config/reference.ts';
import { configJsonSchema, type JsonSchemaNode } from '../../../engine/config/schema.ts';

const FILE = '/runs/tune.lorafa.json';
const sections = Object.entries(configJsonSchema().properties ?? {});
const keys = sections.flatMap(([section, { properties }]) =>
  Object.entries(properties ?? {}).map(([key, node]): [string, string, JsonSchemaNode] => [
    section,
    key,
    node,
  ]),
);

/** A configuration that is fine but for one key, which stands alone on line 2. */
function withKey(section: string, key: string, value: unknown): string {
  const config: Record<string, Record<string, unknown>> = {
    model: { base_model_name_or_path: './base' },
    data: { dataset_name_or_path: './rows.jsonl' },
    training: { output_dir: './out' },
  };
  const rest = { ...config[section] };
  delete rest[key];
  const others = { ...config };
  delete others[section];
  const body = JSON.stringify(rest).slice(1, -1);
  const tail = Object.entries(others).map(([k, v]) => `,"${k}":${JSON.stringify(v)}`);
  return `{"${section}": {${body}${body === '' ? '' : ','}\n"${key}": ${JSON.stringify(value)}}${tail.join('')}}`;
}

describe.each(keys)('%s.%s', (section, key, node) => {
  test('is documented', () => {
    expect(node.description).toMatch(/\.$/);
    expect(configReference()).toContain(`| \`${key}\` |`);
  });

  test.each([null, { not: { this: 'type' } }, [[]]])('refuses %j, with its place', (value) => {
    const { config, problems } = checkConfig(withKey(section, key, value), FILE);
    expect(config).toBeUndefined();
    const problem = problems.find(({ code }) => code !== 'config.contradiction');
    expect(problem?.line).toBe(2);
    expect(problem?.message).toContain(`\`${section}.${key}`);
  });

  test('misspelt, it is the name that is proposed', () => {
    const misspelt = `${key}${key.at(-1)}`;
    const { problems } = checkConfig(withKey(section, misspelt, 1), FILE);
    const unknown = problems.find(({ code }) => code === 'config.unknown_key');
    expect(unknown).toMatchObject({ line: 2, column: 1 });
    expect(unknown?.message).toContain(`did you mean \`${section}.${key}\`?`);
  });
});

test.each([
  ['lora', 'r', 0],
  ['lora', 'r', 1.5],
  ['lora', 'lora_dropout', 1],
  ['lora', 'bias', 'all'],
  ['lora', 'target_modules', []],
  ['lora', 'target_modules', ''],
  ['lora', 'target_modules', '('],
  ['lora', 'exclude_modules', '['],
  ['lora', 'rank_pattern', { '(': 4 }],
  ['lora', 'alpha_pattern', { q_proj: 0 }],
  ['lora', 'layers_to_transform', [-1]],
  ['data', 'eval_split', 0],
  ['data', 'eval_split', 1.5],
  ['data', 'max_length', 1],
  ['data', 'format', 'alpaca'],
  ['training', 'learning_rate', 0],
  ['training', 'num_train_epochs', 0],
  ['training', 'adam_beta2', 1],
  ['training', 'warmup_ratio', 1],
  ['training', 'lr_scheduler_type', 'polynomial'],
  ['training', 'method', 'qlora'],
  ['engine', 'device', 'cuda:x'],
  ['engine', 'device', 'gpu'],
])('%s.%s = %j is outside the range', (section, key, value) => {
  const { problems } = checkConfig(withKey(section, key, value), FILE);
  expect(problems[0]).toMatchObject({ code: 'config.invalid_value', line: 2 });
});

test('a number too large for a double is refused', () => {
  const text = withKey('training', 'learning_rate', 1).replace('": 1}', '": 1e999}');
  expect(checkConfig(text, FILE).problems[0]?.code).toBe('config.invalid_value');
});

test('the reference has a table per section and tells what is required', () => {
  const reference = configReference();
  for (const [section] of sections) expect(reference).toContain(`## \`${section}\``);
  expect(reference).toMatch(/\| `output_dir` \| .* \| required \|/);
  expect(reference).toMatch(/\| `r` \| a whole number of at least 1 \| `16` \|/);
  expect(reference).toContain('| `lr_scheduler_kwargs.min_lr_rate` |');
});
