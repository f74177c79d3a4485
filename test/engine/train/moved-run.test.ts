import path from 'node:path';
import { expect, test } from 'vitest';
import { configSchema } from '../../../engine/config/schema.ts';
import { whereItIsNow } from '../../../engine/train/moved-run.ts';

test('the folder of the reports moves with the run that it is in', () => {
  const [before, now] = [path.resolve('/runs/first'), path.resolve('/elsewhere/second')];
  const movedTo = (logging_dir?: string): string | undefined => {
    const training = {
      output_dir: before,
      report_to: ['tensorboard'],
      ...(logging_dir !== undefined && { logging_dir }),
    };
    const config = configSchema.parse({
      model: { base_model_name_or_path: '/base' },
      data: { dataset_name_or_path: '/rows.jsonl' },
      training,
    });
    return whereItIsNow(config, now).training.logging_dir;
  };
  expect(movedTo(path.join(before, 'logs'))).toBe(path.join(now, 'logs'));
  const shared = path.resolve('/runs/logs');
  expect(movedTo(shared)).toBe(shared);
  expect(movedTo()).toBeUndefined();
});
