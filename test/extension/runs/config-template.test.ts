import { expect, test } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import { configTemplate } from '../../../extension/runs/config-template.ts';

const note = 'a note';
const notes = {
  heading: note,
  model: note,
  data: note,
  evalSplit: note,
  lora: note,
  output: note,
  epochs: note,
  batch: note,
  rate: note,
};

test('a new configuration is valid and holds what was chosen', () => {
  const model = 'models\\a "quoted" name';
  const text = configTemplate({ name: 'my run', model, data: 'data/train.jsonl', notes });
  expect(text.match(/\/\/ a note/g)).toHaveLength(Object.keys(notes).length);
  const config = parseConfig(text, '/folder/my run.lorafa.json');
  expect(config.model.base_model_name_or_path).toContain('"quoted"');
  expect(config.data.dataset_name_or_path).toBe('/folder/data/train.jsonl');
  expect(config.training.output_dir).toBe('/folder/runs/my run');
  expect(config.training.method).toBe('lorafa');
});
