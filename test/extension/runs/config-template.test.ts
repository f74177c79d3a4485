import { expect, test } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import { NEW_CONFIGURATION } from '../../../engine/plan/training-memory.ts';
import { configTemplate } from '../../../extension/runs/config-template.ts';

const note = 'a note';
const notes = {
  heading: note,
  model: note,
  nf4: note,
  data: note,
  columns: note,
  evalSplit: note,
  lora: note,
  output: note,
  epochs: note,
  batch: note,
  rate: note,
};

const choices = {
  name: 'my run',
  model: 'base',
  nf4: false,
  data: 'data/train.jsonl',
  rows: 60,
  notes,
};

test('a new configuration is valid and holds what was chosen', () => {
  const model = 'models\\a "quoted" name';
  const columns = { prompt_column: 'ticket "open"', completion_column: 'reply' };
  const text = configTemplate({ ...choices, model, nf4: true, columns });
  expect(text.match(/\/\/ a note/g)).toHaveLength(Object.keys(notes).length);
  const config = parseConfig(text, '/folder/my run.lorafa.json');
  expect(config.model.base_model_name_or_path).toContain('"quoted"');
  expect(config.model.quantization).toBe('nf4');
  // What a model takes is told for these settings, before there is a file.
  expect(config).toMatchObject(NEW_CONFIGURATION);
  expect(config.data.dataset_name_or_path).toBe('/folder/data/train.jsonl');
  expect(config.data).toMatchObject(columns);
  expect(config.training.output_dir).toBe('/folder/runs/my run');
  expect(config.training.method).toBe('lorafa');
});

test('columns that are recognised are not named', () => {
  const text = configTemplate({ ...choices, columns: {} });
  expect(text.match(/\/\/ a note/g)).toHaveLength(Object.keys(notes).length - 2);
  expect(parseConfig(text, '/folder/a.lorafa.json').data.prompt_column).toBeUndefined();
});

test.each([60, 1_000, 100_000])('%d rows are learned in a fair number of steps', (rows) => {
  const text = configTemplate({ ...choices, columns: {}, rows });
  const { training } = parseConfig(text, '/folder/a.lorafa.json');
  const steps = (rows * training.num_train_epochs) / training.gradient_accumulation_steps;
  expect(steps).toBeGreaterThan(100);
});
