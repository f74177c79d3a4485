import { expect, test } from 'vitest';
import { FOREIGN_KEY_NAMES, foreignKey } from '../../../engine/config/foreign-keys.ts';
import { checkConfig } from '../../../engine/config/parse.ts';
import { configJsonSchema } from '../../../engine/config/schema.ts';

const KEYS = new Set(
  Object.entries(configJsonSchema().properties ?? {}).flatMap(([section, { properties }]) =>
    Object.keys(properties ?? {}).map((key) => `${section}.${key}`),
  ),
);

/** What is said of one key of a configuration, and what would mend it. */
function problemOf(section: string, key: string) {
  const text = JSON.stringify({ [section]: { [key]: true } });
  const found = checkConfig(text, '/tune.lorafa.json').problems.find(
    ({ code }) => code === 'config.unknown_key',
  );
  return { message: found?.message, remedies: found?.about?.remedies };
}

test.each([
  ['save_strategy', 'a checkpoint is written every `training.save_steps` steps'],
  ['evaluation_strategy', '`training.eval_steps`'],
  ['load_in_4bit', 'set `model.quantization` to "nf4"'],
  ['bf16', '`engine.compute` says in what is multiplied'],
  ['optim', 'the optimizer is AdamW'],
  ['micro_batch_size', 'did you mean `training.per_device_train_batch_size`?'],
  ['sequence_len', 'did you mean `data.max_length`?'],
  ['lora_target_linear', 'set `lora.target_modules` to "all-linear"'],
])('%s, as other programs have it, has an answer of its own', (key, answer) => {
  const { message } = problemOf('training', key);
  expect(message).toContain(`\`training.${key}\` is not a key; `);
  expect(message).toContain(answer);
});

test('a key that means the same here can be given its name, in a set that is mixed in too', () => {
  expect(problemOf('training', 'lr').remedies).toContainEqual({
    kind: 'rename',
    path: ['training', 'lr'],
    to: ['training', 'learning_rate'],
  });
  const text = JSON.stringify({ data: { mix: [{ dataset: 'more.jsonl' }] } });
  const messages = checkConfig(text, '/tune.lorafa.json').problems.map(({ message }) => message);
  expect(messages.join()).toContain('did you mean `data.mix.0.dataset_name_or_path`?');
});

test('of a key that nobody knows only the nearest are told', () => {
  const { message } = problemOf('training', 'zzzz');
  expect(message).toMatch(
    /^`training.zzzz` is not a key; the nearest here are \w+, \w+, \w+, and there are \d+ more$/,
  );
});

test('none of them is a key here, and whatever they lead to is one', () => {
  const names = new Set([...KEYS].map((key) => key.split('.')[1]!));
  expect(FOREIGN_KEY_NAMES.filter((name) => names.has(name))).toEqual([]);
  const led = FOREIGN_KEY_NAMES.map((name) => foreignKey(name)!).flatMap((known) =>
    'meant' in known
      ? [known.meant.join('.')]
      : [...known.answer.matchAll(/`(\w+\.\w+)`/g)].map(([, key]) => key!),
  );
  expect(led.filter((key) => !KEYS.has(key))).toEqual([]);
});
