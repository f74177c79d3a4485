import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectedTensors } from '../../../engine/architectures/expected-tensors.ts';
import { parseDecoderConfig } from '../../../engine/architectures/hugging-face-config.ts';
import { ggufDifferences } from '../../../engine/export/gguf-differences.ts';
import { float16ToFloat32, float32ToFloat16 } from '../../../engine/formats/float16.ts';
import { readTensor } from '../../../engine/formats/tensor-data.ts';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { ggufConfig } from '../../../engine/gguf/gguf-config.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { openWeights, readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** All but the one that is read as another family. */
const names = readdirSync(goldenPath('gguf', 'families'))
  .map((file) => path.parse(file).name)
  .filter((name) => name !== 'granite4');

/** What a GGUF file does not say is read as llama.cpp reads it. */
const UNSAID: Readonly<Record<string, object>> = {
  gemma2: { query_pre_attn_scalar: 16 },
  gemma3: { query_pre_attn_scalar: 16 },
  'gpt-neox-sequential': { hidden_act: 'gelu' },
  starcoder2: { sliding_window: null },
};

/** Values as llama.cpp's converter stored them: matrices in 16 bits, but for routers and positions. */
function stored(name: string, values: Float32Array, shape: readonly number[]): Float32Array {
  const isNarrow = shape.length > 1 && !/\.(gate|wpe)\.weight$/.test(name);
  return isNarrow ? float16ToFloat32(float32ToFloat16(values)) : values;
}

describe("what llama.cpp's converter makes of a model is that model again", () => {
  test.each(names)('%s', async (name) => {
    const file = goldenPath('gguf', 'families', `${name}.gguf`);
    const { config, configJson } = await readDecoderConfig(goldenPath('models', name));
    const said = parseDecoderConfig({ ...configJson, ...UNSAID[name] }, file);
    const { bosTokenId: _bos, eosTokenIds: _eos, padTokenId: _pad, ...declared } = said;
    const read = parseDecoderConfig(await ggufConfig(await openGguf(file)), file);
    expect(rounded(read)).toMatchObject(rounded(declared) as object);

    const original = await openWeights(goldenPath('models', name), config);
    const { weights } = await openBaseModel(file, { cacheFolder: await tempFolder() });
    for (const [tensor, shape] of expectedTensors(config)) {
      const expected = stored(tensor, await readTensor(original.get(tensor)), shape);
      const actual = await readTensor(weights.get(tensor));
      const difference = actual.reduce(
        (most, x, i) => Math.max(most, Math.abs(x - expected[i]!)),
        0,
      );
      // The 1 that some norms have added is taken out again in float32.
      expect(difference, tensor).toBeLessThan(3e-7);
    }
  });
});

test('a Granite 4 is read as a Granite 3 that computes the same, with gate and up apart', async () => {
  const file = goldenPath('gguf', 'families', 'granite4.gguf');
  const folder = goldenPath('models', 'granite4');
  const { config } = await readDecoderConfig(folder);
  const original = await openWeights(folder, config);
  const read = await openBaseModel(file, { cacheFolder: await tempFolder() });
  expect(read.config.family).toBe('granite');
  expect(ggufDifferences(config, read.config)).toEqual([]);
  const valuesOf = async (name: string) => [...(await readTensor(read.weights.get(name)))];
  const others = new Set(read.weights.tensors.keys());
  for (const [tensor, shape] of expectedTensors(config)) {
    const [, layer, mlp] = /^(.*)shared_mlp\.(\w+)_linear/.exec(tensor) ?? [];
    const parts =
      mlp === undefined
        ? [tensor]
        : (mlp === 'input' ? ['gate', 'up'] : ['down']).map(
            (part) => `${layer}mlp.${part}_proj.weight`,
          );
    const actual = (await Promise.all(parts.map(valuesOf))).flat();
    const expected = stored(tensor, await readTensor(original.get(tensor)), shape);
    expect(actual, tensor).toEqual([...expected]);
    for (const part of parts) others.delete(part);
  }
  expect([...others]).toEqual([]);
});

/** Numbers as float32, which metadata are stored in. */
function rounded(config: unknown): unknown {
  const text = JSON.stringify(config, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value,
  );
  return JSON.parse(text);
}
