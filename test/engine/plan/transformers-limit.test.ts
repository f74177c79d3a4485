import { expect, test } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import { readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { requireTransformers } from '../../../engine/plan/transformers-limit.ts';
import { goldenPath } from '../../support/golden.ts';

const examine = async (model: string, changes: object = {}, place = model) => {
  const { config } = await readDecoderConfig(goldenPath('models', model));
  const parsed = parseConfig(
    JSON.stringify({
      model: { base_model_name_or_path: model },
      data: { dataset_name_or_path: 'rows.jsonl', max_length: 16 },
      training: { output_dir: 'out' },
      engine: { backend: 'accelerate' },
      ...changes,
    }),
    'run.lorafa.json',
  );
  return () => requireTransformers(parsed, { path: place, name: model, config });
};

test.each([
  ['mixtral', 'mixtral', 'a mixture of experts'],
  ['gemma3-whole', 'gemma3-whole', 'a model with other parts than its text'],
  ['llama2', '/models/llama.Q4_0.GGUF', 'a GGUF file'],
])('%s at %s is refused as %s', async (model, place, what) => {
  const refused = await examine(model, {}, place);
  expect(refused).toThrow(
    expect.objectContaining({ code: 'model.unsupported', message: expect.stringContaining(what) }),
  );
  expect(await examine(model, { engine: {} }, place)).not.toThrow();
});

test('dynamic NTK is refused beyond the length from which on transformers remembers batches', async () => {
  const rows = (max_length: number) => ({
    data: { dataset_name_or_path: 'rows.jsonl', max_length },
  });
  expect(await examine('llama-dynamic', rows(17))).toThrow(
    expect.objectContaining({
      code: 'model.unsupported',
      message: expect.stringMatching(/max_length` is \d+.*dynamic NTK.*use \d+ at most/),
    }),
  );
  expect(await examine('llama-dynamic', rows(16))).not.toThrow();
});
