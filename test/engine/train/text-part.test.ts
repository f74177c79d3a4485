import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { configSchema } from '../../../engine/config/schema.ts';
import { exportResult } from '../../../engine/export/export.ts';
import { loadAdapter } from '../../../engine/lora/load-adapter.ts';
import { createTrainee } from '../../../engine/train/trainee.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { goldenModel } from './golden-case.ts';

const MODELS = ['gemma3-whole', 'ministral3-whole'];

const configOf = (method: 'lorafa' | 'full', lora: object) =>
  configSchema.parse({
    model: { base_model_name_or_path: 'model' },
    data: { dataset_name_or_path: 'rows.jsonl' },
    lora,
    training: { method, output_dir: 'out' },
  });

describe.each(MODELS)('the text part of %s', (name) => {
  test('is adapted by full names, so that PEFT adapts nothing else of the whole model', async () => {
    const model = await goldenModel(name);
    const lora = {
      r: 4,
      target_modules: ['q_proj', 'v_proj'],
      exclude_modules: ['layers.1.self_attn.v_proj'],
    };
    const trainee = await createTrainee(configOf('lorafa', lora), model);
    const folder = await tempFolder();
    await trainee.save(folder, false);
    const json = JSON.parse(await readFile(path.join(folder, 'adapter_config.json'), 'utf8'));
    expect(json.target_modules).toEqual(trainee.modules.map((module) => module.name));
    expect(json.target_modules[0]).toBe('model.language_model.layers.0.self_attn.q_proj');
    expect(json.exclude_modules).toBeUndefined();
    const loaded = await loadAdapter(folder, model.config);
    expect(loaded.modules).toEqual(trainee.modules);
  });

  test('is not trained whole', async () => {
    const refused = createTrainee(configOf('full', {}), await goldenModel(name));
    await expect(refused).rejects.toMatchObject({ code: 'model.unsupported' });
  });

  test('is a GGUF file, of which nothing is lost', async () => {
    const folder = path.join(await tempFolder(), name);
    await goldenModelFolder(name, folder);
    const output = `${folder}.gguf`;
    const { notes } = await exportResult({ folder, format: 'gguf', output, dtype: 'f32' });
    expect(notes.join()).not.toMatch(/rotary|slidingWindow|name/);
  });
});
