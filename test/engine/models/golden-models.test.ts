import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { isTied } from '../../../engine/architectures/modules.ts';
import { openWeights, readConfig } from '../../../engine/models/hugging-face-folder.ts';
import { examineWeights } from '../../../engine/weights/examine-weights.ts';

const models = path.join(import.meta.dirname, '../../reference/golden/models');

describe('model folders that transformers saved', () => {
  test.each(readdirSync(models))(
    '%s opens: each expected tensor is there and finite',
    async (name) => {
      const folder = path.join(models, name);
      const { config } = await readConfig(folder);
      const weights = await openWeights(folder, config);
      await examineWeights(weights);
      expect(weights.files().folder).toBe(folder);
      expect(weights.tensors.has(`${config.outputName}.weight`)).toBe(!isTied(config));
    },
  );

  test('shards are found through their index', async () => {
    const folder = path.join(models, 'llama-sharded');
    const { config } = await readConfig(folder);
    expect((await openWeights(folder, config)).files().names).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
    ]);
  });
});
