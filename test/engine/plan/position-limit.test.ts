import { expect, test } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import { readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { requirePositions } from '../../../engine/plan/position-limit.ts';
import { goldenPath } from '../../support/golden.ts';

const examine = async (model: string, maxLength: number) => {
  const { config } = await readDecoderConfig(goldenPath('models', model));
  const { data } = parseConfig(
    JSON.stringify({
      model: { base_model_name_or_path: model },
      data: { dataset_name_or_path: 'rows.jsonl', max_length: maxLength },
      training: { output_dir: 'out' },
    }),
    'run.lorafa.json',
  );
  return () => requirePositions({ data }, { config, name: model });
};

test('rows that are longer than positions were learned are refused, with the longest that is not', async () => {
  expect(await examine('gpt2', 211)).toThrow(
    expect.objectContaining({
      code: 'config.invalid_value',
      message: expect.stringMatching(
        /max_length` is 211.*gpt2 has learned 210.*use 210 at most\.$/,
      ),
    }),
  );
  expect(await examine('gpt2', 210)).not.toThrow();
});

test('where positions are turned in, rows may be longer than a model says', async () => {
  expect(await examine('llama2', 4096)).not.toThrow();
});
