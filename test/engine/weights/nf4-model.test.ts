import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectedTensors } from '../../../engine/architectures/expected-tensors.ts';
import { linearModules } from '../../../engine/architectures/linear-modules.ts';
import { dequantizeNf4 } from '../../../engine/formats/nf4.ts';
import { dequantizeAbsmax } from '../../../engine/formats/nf4-double.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { writeSafetensors } from '../../../engine/formats/safetensors-writer.ts';
import { readTensor, readTensorRaw } from '../../../engine/formats/tensor-data.ts';
import { elementCount } from '../../../engine/formats/tensor-location.ts';
import { transposed } from '../../../engine/formats/transposed.ts';
import { type BaseModel, openBaseModel } from '../../../engine/models/base-model.ts';
import { openHuggingFaceFolder } from '../../../engine/models/hugging-face-folder.ts';
import { NF4_NAMES } from '../../../engine/weights/nf4-weights.ts';
import { describeQuantized, type Quantization } from '../../../engine/weights/quantization.ts';
import { describeTensors } from '../../../engine/weights/weight-cache.ts';
import { WeightStore } from '../../../engine/weights/weight-store.ts';
import { decoderConfig } from '../../support/decoder-config.ts';
import { goldenPath, relativeError } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';
import { range, withSessions } from '../generate/golden-model.ts';
import { goldenCase, goldenModel } from '../train/golden-case.ts';
import { brokenModel, firstStep, quantized, tensorSizes } from './quantized-model.ts';

const KINDS: readonly [string, Quantization][] = [
  ['NF4', { kind: 'nf4', doubleQuant: false }],
  ['NF4 with double quantization', { kind: 'nf4', doubleQuant: true }],
];

/** The values of a weight in NF4. */
async function dequantized(weights: WeightStore, name: string, shape: readonly number[]) {
  const absmax = weights.get(NF4_NAMES.absmax(name));
  const codes = await readTensorRaw(weights.get(name));
  if (absmax.dtype === 'F32') {
    return dequantizeNf4(codes, await readTensor(absmax), elementCount(shape));
  }
  const nested = await readTensor(weights.get(NF4_NAMES.nestedAbsmax(name)));
  const [offset] = await readTensor(weights.get(NF4_NAMES.nestedOffset(name)));
  const magnitudes = dequantizeAbsmax({
    codes: await readTensorRaw(absmax),
    nested,
    offset: offset!,
  });
  return dequantizeNf4(codes, magnitudes, elementCount(shape));
}

/** The float32 model of the values that a quantized model stands for. */
async function unquantized(model: BaseModel): Promise<BaseModel> {
  const file = path.join(await tempFolder(), 'model.safetensors');
  const reversed = new Map(
    linearModules(model.config).map(({ name, fanInFanOut }) => [`${name}.weight`, fanInFanOut]),
  );
  const tensors = [...expectedTensors(model.config)].map(([name, shape]) => ({
    name,
    shape,
    dtype: 'F32' as const,
    data: async () => {
      if (!model.weights.tensors.has(NF4_NAMES.absmax(name))) {
        return readTensor(model.weights.get(name));
      }
      const values = await dequantized(model.weights, name, shape);
      return reversed.get(name) ? transposed(values, shape[1]!) : values;
    },
  }));
  await writeSafetensors(file, tensors);
  return { ...model, weights: new WeightStore((await openSafetensors(file)).tensors) };
}

describe.each(KINDS)('a model in %s', (_, nf4) => {
  test.each([
    'lorafa-all-linear',
    'lorafa-accumulation-clipping',
    'lora-linear',
    'family-gemma2',
    'family-phi3',
    'family-gpt-neox',
    'family-mixtral',
    'family-gpt2',
  ])('trains as the model of its values: %s', async (name) => {
    const { model } = await goldenCase(name);
    const inNf4 = await quantized(model, nf4);
    const actual = await firstStep(name, inNf4);
    const expected = await firstStep(name, await unquantized(inNf4));
    expect(Math.abs(actual.loss / expected.loss - 1)).toBeLessThan(1e-5);
    expect(actual.gradients.size).toBeGreaterThan(0);
    for (const [tensor, gradient] of expected.gradients) {
      expect(relativeError(actual.gradients.get(tensor)!, gradient), tensor).toBeLessThan(1e-4);
    }
    // What was compared is not the model that was quantized.
    expect(actual.loss).not.toBeCloseTo((await firstStep(name, model)).loss, 4);
  });

  test('generates as the model of its values', async () => {
    const inNf4 = await quantized(await goldenModel('llama-bias'), nf4);
    const logits = (model: BaseModel) =>
      withSessions(model, async (sessions) =>
        (await sessions.sequence(null)).append([5, 9, 2, 14, 7], range(5)),
      );
    expect(relativeError(await logits(inNf4), await logits(await unquantized(inNf4)))).toBeLessThan(
      1e-5,
    );
  });

  test.each(['qwen3', 'gpt2'])('is described as it is made: %s', async (name) => {
    const model = await goldenModel(name);
    expect(tensorSizes(describeQuantized(model, nf4))).toEqual(
      tensorSizes(await quantized(model, nf4)),
    );
  });
});

test('a weight takes four and a half bits, or a little over four', async () => {
  // The sizes of SmolLM2-135M.
  const large = decoderConfig({
    hidden_size: 576,
    intermediate_size: 1536,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    tie_word_embeddings: true,
  });
  const shapes = [...expectedTensors(large)];
  const stored = new WeightStore(
    describeTensors(
      shapes.map(([name, shape]) => ({ name, shape, dtype: 'BF16', data: new Uint8Array() })),
      'model.safetensors',
    ),
  );
  const linear = linearModules(large).map(({ name }) => `${name}.weight`);
  const elements = linear.reduce((sum, name) => sum + elementCount(stored.get(name).shape), 0);
  const bits = (nf4: Quantization): number => {
    const { weights } = describeQuantized({ config: large, weights: stored }, nf4);
    const bytes = [...weights.tensors.values()]
      .filter(({ name }) => linear.some((weight) => name.startsWith(weight)))
      .reduce((sum, { length }) => sum + length, 0);
    return (8 * bytes) / elements;
  };
  expect(bits({ kind: 'nf4', doubleQuant: false })).toBe(4.5);
  expect(bits({ kind: 'nf4', doubleQuant: true })).toBeLessThan(4.14);
});

test('all but the linear layers of the decoder layers stays as it is stored', async () => {
  const model = await goldenModel('smollm2-bf16');
  const linear = linearModules(model.config).map(({ name }) => `${name}.weight`);
  const { weights } = await quantized(model, { kind: 'nf4', doubleQuant: false });
  for (const [name, location] of model.weights.tensors) {
    const kept = weights.get(name);
    if (linear.includes(name)) expect(kept.dtype).toBe('U8');
    else {
      expect(kept).toMatchObject({ dtype: location.dtype, shape: location.shape });
      expect(await readTensorRaw(kept)).toEqual(await readTensorRaw(location));
    }
  }
});

describe('quantization', () => {
  /** Opens a model and tells whether it was quantized for that. */
  async function opens(location: string, cacheFolder: string, doubleQuant = false) {
    let made = false;
    const model = await openBaseModel(location, {
      quantization: { kind: 'nf4', doubleQuant },
      cacheFolder,
      onQuantize: (done, total) => {
        made = done === total;
      },
    });
    return { model, made };
  }

  test('happens once for each model and way, and again for a model that changed', async () => {
    const folder = await tempFolder();
    const model = path.join(folder, 'model');
    const cache = path.join(folder, 'cache');
    await writeTinyModel(model);
    const first = await opens(model, cache);
    expect(first.made).toBe(true);
    expect(first.model.weights.files()).toEqual({
      folder: path.join(cache, 'nf4'),
      names: await readdir(path.join(cache, 'nf4')),
    });
    expect((await opens(model, cache)).made).toBe(false);
    expect((await opens(model, cache, true)).made).toBe(true);
    expect((await opens(model, cache)).made).toBe(false);

    const weights = path.join(model, 'model.safetensors');
    const bytes = await readFile(weights);
    bytes.writeFloatLE(0.5, bytes.length - 4);
    await writeFile(weights, bytes);
    const { mtimeMs } = await stat(weights);
    await utimes(weights, mtimeMs / 1000, mtimeMs / 1000 + 60);
    expect((await opens(model, cache)).made).toBe(true);
  });

  test('makes a damaged file again', async () => {
    const folder = await tempFolder();
    const model = path.join(folder, 'model');
    await writeTinyModel(model);
    const { weights } = (await opens(model, folder)).model;
    const file = path.join(weights.files().folder, weights.files().names[0]!);
    await writeFile(file, (await readFile(file)).subarray(0, 3000));
    expect((await opens(model, folder)).made).toBe(true);
  });

  test('removes what killed processes left half made, and nothing that may be going on', async () => {
    const folder = await tempFolder();
    const model = path.join(folder, 'model');
    await writeTinyModel(model);
    const { weights } = (await opens(model, folder)).model;
    const made = path.join(folder, 'nf4');
    const halfMade = async (pid: number, ageSeconds: number): Promise<string> => {
      const name = `.model-0.safetensors.${pid}-0123abcd.tmp`;
      await writeFile(path.join(made, name), '');
      const touched = Date.now() / 1000 - ageSeconds;
      await utimes(path.join(made, name), touched, touched);
      return name;
    };
    const [nobody, nobodyHere] = [999_999_999, 999_999_998];
    await halfMade(nobody, 3600);
    const going = [await halfMade(process.pid, 3600), await halfMade(nobodyHere, 60)];
    expect((await opens(model, folder)).made).toBe(false);
    expect(new Set(await readdir(made))).toEqual(new Set([...going, ...weights.files().names]));
  });

  test('of a GGUF file goes without unpacking it, to the same codes', async () => {
    const cache = await tempFolder();
    const { model } = await opens(goldenPath('gguf', 'llama2-q8_0.gguf'), cache);
    expect(await readdir(cache)).toEqual(['in-use', 'nf4']);
    const unpacked = await openBaseModel(goldenPath('gguf', 'llama2-q8_0.gguf'), {
      cacheFolder: cache,
    });
    const expected = await quantized(unpacked, { kind: 'nf4', doubleQuant: false });
    expect([...model.weights.tensors.keys()].toSorted()).toEqual(
      [...expected.weights.tensors.keys()].toSorted(),
    );
    for (const [name, location] of expected.weights.tensors) {
      const actual = await readTensorRaw(model.weights.get(name));
      expect(Buffer.compare(actual, await readTensorRaw(location)), name).toBe(0);
    }
  });

  test('only looked at writes nothing', async () => {
    const cacheFolder = await tempFolder();
    const folder = path.join(cacheFolder, 'model');
    await writeTinyModel(folder);
    const { weights } = await openHuggingFaceFolder(folder, {
      quantization: { kind: 'nf4', doubleQuant: false },
      headersOnly: true,
      cacheFolder,
    });
    expect(weights.get('model.layers.0.mlp.up_proj.weight').length).toBe((64 * 32) / 2);
    expect(await readdir(cacheFolder)).toEqual(['model']);
  });

  test('refuses NaN by the name of the tensor and leaves nothing behind', async () => {
    const cacheFolder = await tempFolder();
    const { model, weight } = await brokenModel();
    await expect(
      quantized(model, { kind: 'nf4', doubleQuant: false }, cacheFolder),
    ).rejects.toMatchObject({
      code: 'model.not_finite',
      message: expect.stringContaining(`"${weight}"`),
    });
    expect(await readdir(path.join(cacheFolder, 'nf4'))).toEqual([]);
  });
});
