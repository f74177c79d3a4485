import { readdirSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { isTied } from '../../../engine/architectures/modules.ts';
import { writeSafetensors } from '../../../engine/formats/safetensors-writer.ts';
import { readTensor } from '../../../engine/formats/tensor-data.ts';
import { openWeights, readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { examineWeights } from '../../../engine/weights/examine-weights.ts';
import { storedTensors } from '../../../engine/weights/quantization.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const models = path.join(import.meta.dirname, '../../reference/golden/models');

describe('model folders that transformers saved', () => {
  test.each(readdirSync(models))(
    '%s opens: each expected tensor is there and finite',
    async (name) => {
      const folder = path.join(models, name);
      const { config } = await readDecoderConfig(folder);
      const weights = await openWeights(folder, config);
      await examineWeights({ path: folder, weights });
      expect(weights.files().folder).toBe(folder);
      expect(weights.tensors.has(`${config.outputName}.weight`)).toBe(!isTied(config));
    },
  );

  test('names without the prefix of the model, as GPT-2 was published, are found', async () => {
    const folder = await tempFolder();
    await copyFile(path.join(models, 'gpt2', 'config.json'), path.join(folder, 'config.json'));
    const { config } = await readDecoderConfig(folder);
    const stored = await openWeights(path.join(models, 'gpt2'), config);
    const unprefixed = storedTensors(stored).map((tensor) => ({
      ...tensor,
      name: tensor.name.replace(/^transformer\./, ''),
    }));
    await writeSafetensors(path.join(folder, 'model.safetensors'), unprefixed);
    const weights = await openWeights(folder, config);
    expect([...weights.tensors.keys()]).toEqual([...stored.tensors.keys()]);
    const name = 'transformer.h.1.attn.c_attn.weight';
    expect(await readTensor(weights.get(name))).toEqual(await readTensor(stored.get(name)));
  });

  test('shards are found through their index', async () => {
    const folder = path.join(models, 'llama-sharded');
    const { config } = await readDecoderConfig(folder);
    expect((await openWeights(folder, config)).files().names).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
    ]);
  });
});
