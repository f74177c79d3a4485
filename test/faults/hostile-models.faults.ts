import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../engine/json-file.ts';
import { TinyRuns } from '../engine/train/tiny-run.ts';
import { BuiltCli } from '../support/built-cli.ts';
import {
  BACKTRACKING,
  ENDLESS_TEMPLATE,
  ENDLESS_TEXT,
  writeHostileModel,
} from '../support/hostile-model.ts';

/**
 * Every command that reads a model, on models that ended or hung processes: each comes to an end by
 * itself, with an error of the model's own code that names it.
 */
const MODELS: Readonly<Record<string, readonly [Readonly<Record<string, JsonObject>>, string]>> = {
  'a range of two billion': [template('{{ range(2000000000) }}'), 'data.chat_template'],
  'a template without an end': [template(ENDLESS_TEMPLATE), 'data.chat_template'],
  'a template that grows exponentially': [
    template(
      '{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}x{% endmacro %}{{ m(60) }}',
    ),
    'data.chat_template',
  ],
  'a text that doubles': [
    template(
      `{% set ns = namespace(x='ab') %}${'{% set ns.x = ns.x ~ ns.x %}'.repeat(60)}{{ ns.x }}`,
    ),
    'data.chat_template',
  ],
  'an expression that backtracks': [
    { 'tokenizer.json': { pre_tokenizer: BACKTRACKING } },
    'model.tokenizer',
  ],
  'a token id of a billion': [
    { 'tokenizer.json': { added_tokens: [{ id: 1e9, content: 'x', special: true }] } },
    'model.tokenizer',
  ],
  'a billion layers': [{ 'config.json': { num_hidden_layers: 1e9 } }, 'model.corrupt'],
  'four thousand layers': [{ 'config.json': { num_hidden_layers: 4000 } }, 'model.missing_tensor'],
};

/** A row that ends is twice the ten seconds away from one that does not; the rest is for a busy machine. */
const SECONDS = 90;

let built: BuiltCli;
let tiny: TinyRuns;

beforeAll(async () => {
  built = await BuiltCli.build();
  tiny = await TinyRuns.create(built.folder);
});

afterAll(() => built.remove());

for (const [name, [files, code]] of Object.entries(MODELS)) {
  test.each(['preview', 'plan', 'train', 'generate'])(
    `${name}: lorafa %s`,
    { timeout: SECONDS * 1000 },
    async (command) => {
      const model = tiny.fresh('model');
      await writeHostileModel(model, files);
      const data = `${model}.jsonl`;
      await writeFile(data, JSON.stringify({ question: ENDLESS_TEXT, answer: 'So.' }));
      const config = tiny.configText({
        model: { base_model_name_or_path: model },
        data: { dataset_name_or_path: data },
      });
      const configFile = `${model}.lorafa.json`;
      await writeFile(configFile, config);
      const args =
        command === 'generate'
          ? [model, '--prompt', ENDLESS_TEXT, '--device', 'cpu']
          : [configFile];
      const outcome = await built.run([command, ...args, '--json']);
      const failed = JSON.parse(outcome.stdout.trim().split('\n').at(-1)!) as object;
      expect(failed, outcome.stderr).toMatchObject({
        type: 'failed',
        code,
        message: expect.stringContaining(path.basename(model)) as string,
      });
      expect(outcome.code).toBeGreaterThan(0);
    },
  );
}

function template(text: string): Readonly<Record<string, JsonObject>> {
  return { 'tokenizer_config.json': { chat_template: text } };
}
