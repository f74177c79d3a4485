import { expect, test } from 'vitest';
import { parseConfig } from '../../engine/config/parse.ts';
import { EVENT_SCHEMAS } from '../../engine/train/events.ts';
import { lineageSchema } from '../../engine/train/lineage.ts';

/** What JSON can hold in the place of a text or a list, whose length cannot be compared. */
const UNCOMPARABLE = { length: { valueOf: 1, toString: 1 } };

test('an object with a length of its own is neither a text nor a list', () => {
  const config = JSON.stringify({
    model: { base_model_name_or_path: UNCOMPARABLE },
    data: { dataset_name_or_path: UNCOMPARABLE },
    lora: { target_modules: UNCOMPARABLE },
    training: { output_dir: UNCOMPARABLE, sample_prompts: UNCOMPARABLE },
  });
  expect(() => parseConfig(config, '/run.lorafa.json')).toThrow(
    expect.objectContaining({ code: 'config.invalid_value' }),
  );
  expect(lineageSchema.safeParse(UNCOMPARABLE).success).toBe(false);
  const progress = { type: 'progress', task: UNCOMPARABLE, done: 0, total: 1 };
  expect(EVENT_SCHEMAS.progress.safeParse(progress).success).toBe(false);
});
