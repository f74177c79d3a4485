import { cp, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDecoderConfig } from '../../../engine/architectures/hugging-face-config.ts';
import { inverseFrequencies } from '../../../engine/architectures/rotary-embedding.ts';
import { readTensor } from '../../../engine/formats/tensor-data.ts';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { ggufConfig } from '../../../engine/gguf/gguf-config.ts';
import type { BaseModel } from '../../../engine/models/base-model.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { openWeights, readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import type { WeightStore } from '../../../engine/weights/weight-store.ts';
import { ggufSeeds } from '../../faults/fuzz/readers/gguf-seeds.ts';
import { ggufBytes, type MetadataInput } from '../../support/gguf-bytes.ts';
import { goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function original(name: string): Promise<WeightStore> {
  const folder = goldenPath('models', name);
  return openWeights(folder, (await readDecoderConfig(folder)).config);
}

/** Largest difference of any weight, relative to the largest weight of its tensor. */
async function worstError(model: BaseModel, source: WeightStore): Promise<number> {
  expect([...model.weights.tensors.keys()]).toEqual([...source.tensors.keys()]);
  let worst = 0;
  for (const [name, location] of source.tensors) {
    const expected = await readTensor(location);
    const actual = await readTensor(model.weights.get(name));
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const error = expected.reduce(
      (most, value, index) => Math.max(most, Math.abs(value - actual[index]!)),
      0,
    );
    worst = Math.max(worst, error / largest);
  }
  return worst;
}

describe('a GGUF file gives the weights of the Hugging Face model that it was made from', () => {
  test.each([
    ['llama2', 'llama2-f32.gguf', 0],
    ['tinyllama-f16', 'tinyllama-f16-f16.gguf', 0],
    ['llama2', 'llama2-q8_0.gguf', 1 / 127],
    ['qwen2', 'qwen2-f32.gguf', 0],
    ['qwen2', 'qwen2-q8_0.gguf', 1 / 127],
  ])('%s from %s', async (source, file, tolerance) => {
    const cacheFolder = await tempFolder();
    const model = await openBaseModel(goldenPath('gguf', file), { cacheFolder });
    expect(await worstError(model, await original(source))).toBeLessThanOrEqual(tolerance);
    const { config } = await readDecoderConfig(goldenPath('models', source));
    expect(model.config).toEqual(config);
  });
});

describe('unpacking', () => {
  test('is not needed when every tensor can be used as it lies', async () => {
    const cacheFolder = await tempFolder();
    const file = goldenPath('gguf', 'qwen2-f32.gguf');
    const { weights } = await openBaseModel(file, { cacheFolder });
    expect(weights.files()).toEqual({ folder: path.dirname(file), names: ['qwen2-f32.gguf'] });
    expect(await readdir(cacheFolder)).toEqual([]);
  });

  test('of rows that do not fit the heads is refused before anything is written', async () => {
    const folder = await tempFolder();
    const cacheFolder = path.join(folder, 'cache');
    const file = path.join(folder, 'odd.gguf');
    const bytes = Buffer.from(ggufSeeds()[0]!);
    // Behind the name: how many dimensions there are, then the width, then the number of rows.
    const name = 'blk.0.attn_q.weight';
    const rows = bytes.indexOf(name) + name.length + 4 + 8;
    expect(bytes.readBigUInt64LE(rows)).toBe(32n);
    bytes.writeBigUInt64LE(31n, rows);
    await writeFile(file, bytes);
    await expect(openBaseModel(file, { cacheFolder })).rejects.toMatchObject({
      code: 'model.shape_mismatch',
    });
    await expect(readdir(cacheFolder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('makes matrices float16 and keeps vectors float32', async () => {
    const cacheFolder = await tempFolder();
    const file = goldenPath('gguf', 'llama2-q8_0.gguf');
    const { weights } = await openBaseModel(file, { cacheFolder });
    expect(weights.get('model.embed_tokens.weight').dtype).toBe('F16');
    expect(weights.get('model.norm.weight').dtype).toBe('F32');
  });

  test('happens once per content, reports progress, and repairs a damaged cache', async () => {
    const folder = await tempFolder();
    const cacheFolder = path.join(folder, 'cache');
    const file = path.join(folder, 'model.gguf');
    await cp(goldenPath('gguf', 'llama2-q8_0.gguf'), file);
    const progress: [number, number][] = [];
    const open = () =>
      openBaseModel(file, {
        cacheFolder,
        onUnpack: (done, total) => {
          progress.push([done, total]);
        },
      });
    const runs = async () => {
      progress.length = 0;
      await open();
      return progress.length > 0;
    };

    expect(await runs()).toBe(true);
    expect(progress.at(-1)![0]).toBe(progress.at(-1)![1]);
    expect(await runs()).toBe(false);

    const [cached] = await readdir(path.join(cacheFolder, 'gguf'));
    const cachedFile = path.join(cacheFolder, 'gguf', cached!);
    await writeFile(cachedFile, (await readFile(cachedFile)).subarray(0, 5000));
    expect(await runs()).toBe(true);

    const { mtimeMs } = await stat(file);
    await utimes(file, mtimeMs / 1000, mtimeMs / 1000 + 60);
    expect(await runs()).toBe(true);
  });

  test('into a cache folder that cannot be written says so', async () => {
    const blocker = path.join(await tempFolder(), 'file');
    await writeFile(blocker, '');
    await expect(
      openBaseModel(goldenPath('gguf', 'llama2-q8_0.gguf'), { cacheFolder: blocker }),
    ).rejects.toMatchObject({ code: 'output.not_writable' });
  });
});

describe('folders of GGUF files', () => {
  test('a folder that holds one is that model', async () => {
    const folder = await tempFolder();
    await cp(goldenPath('gguf', 'qwen2-f32.gguf'), path.join(folder, 'tiny.gguf'));
    expect(await openBaseModel(folder)).toMatchObject({
      name: 'tiny',
      config: { family: 'qwen2' },
    });
  });

  test('a folder that holds several asks for one', async () => {
    await expect(openBaseModel(goldenPath('gguf'))).rejects.toMatchObject({
      code: 'model.unsupported',
      message: expect.stringMatching(/several models \(llama2-f32.gguf, .*give the path of one/),
    });
  });
});

describe('config from metadata', () => {
  const base = {
    'general.architecture': 'llama',
    'llama.context_length': 131072,
    'llama.embedding_length': 64,
    'llama.block_count': 1,
    'llama.feed_forward_length': 32,
    'llama.attention.head_count': 1,
    'llama.attention.layer_norm_rms_epsilon': 0.5,
    'llama.vocab_size': 4,
    'llama.rope.freq_base': 500000,
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': ['a'],
    'tokenizer.ggml.scores': [0.5],
  } satisfies MetadataInput;

  async function open(changes: MetadataInput, ropeFactors?: Float32Array) {
    const file = path.join(await tempFolder(), 'model.gguf');
    const factors = ropeFactors && new Uint8Array(ropeFactors.buffer);
    const tensors = factors ? [{ name: 'rope_freqs.weight', dims: [factors.length / 4] }] : [];
    await writeFile(file, ggufBytes({ ...base, ...changes }, tensors, factors));
    return openBaseModel(file, { cacheFolder: path.dirname(file) });
  }

  /** The factors of Llama 3.1 for heads of 64 as its definition gives them, in single steps. */
  const llama3Factors = Float32Array.from({ length: 32 }, (_, index) => {
    const wavelength = (2 * Math.PI) / 500000 ** -(index / 32);
    if (wavelength < 8192 / 4) return 1;
    if (wavelength > 8192 / 1) return 32;
    const smooth = (8192 / wavelength - 1) / (4 - 1);
    return 1 / ((1 - smooth) / 32 + smooth);
  });

  test('frequency factors are recognised as the scaling of Llama 3', async () => {
    // The config is read before the weights, which this file does not have.
    await expect(open({}, llama3Factors)).rejects.toMatchObject({ code: 'model.missing_tensor' });
  });

  test('frequency factors of another model are taken as they are', async () => {
    const other = llama3Factors.map((factor) => factor * 1.01);
    const file = path.join(await tempFolder(), 'model.gguf');
    const tensor = { name: 'rope_freqs.weight', dims: [other.length] };
    await writeFile(file, ggufBytes(base, [tensor], new Uint8Array(other.buffer)));
    const config = parseDecoderConfig(await ggufConfig(await openGguf(file)), file);
    const rotary = config.layers[0]!.attention.rotary!;
    const plain = inverseFrequencies({ ...rotary, scaling: null });
    for (const textLength of [1, 1e6]) {
      const divided = inverseFrequencies(rotary, textLength);
      expect(plain.map((frequency, i) => Math.fround(frequency / divided[i]!))).toEqual([...other]);
    }
    const broken = ggufBytes(base, [tensor], new Uint8Array(other.fill(Number.NaN).buffer));
    await writeFile(file, broken);
    await expect(openBaseModel(file)).rejects.toMatchObject({ code: 'model.corrupt' });
  });

  test.each([
    [
      { 'general.architecture': 'bert' },
      'model.unsupported',
      /"bert" is not known; known are llama, mistral3, qwen2, qwen3, .*gemma3/,
    ],
    [{ 'llama.expert_count': 8 }, 'model.missing_tensor', /tensor/],
    [
      { 'general.architecture': 'qwen2', 'qwen2.expert_count': 8 },
      'model.unsupported',
      /experts of the architecture "qwen2"/,
    ],
    [
      { 'llama.rope.scaling.type': 'ntk', 'llama.rope.scaling.factor': 4 },
      'model.unsupported',
      /"ntk"/,
    ],
    [{ 'llama.rope.dimension_count': 32 }, 'model.unsupported', /partial_rotary_factor/],
    [
      { 'llama.attention.head_count_kv': [1, 2] },
      'model.unsupported',
      /head_count_kv" is not the same in all layers/,
    ],
    [{ 'llama.block_count': 'many' }, 'model.corrupt', /"llama.block_count" is not one number/],
    [
      { 'tokenizer.ggml.model': 'bert' },
      'model.tokenizer',
      /"bert" is not known; known are gpt2, llama/,
    ],
    [{ 'tokenizer.ggml.scores': [] }, 'model.tokenizer', /one score for each token/],
    [{ 'tokenizer.ggml.eos_token_id': 7 }, 'model.tokenizer', /the eos token 7 does not exist/],
    [
      { 'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.pre': 'viking' },
      'model.tokenizer',
      /"viking" is not known/,
    ],
    [
      { 'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.merges': ['a b'] },
      'model.tokenizer',
      /merge "a b" does not fit/,
    ],
  ] satisfies [MetadataInput, string, RegExp][])(
    '%j is refused',
    async (changes, code, message) => {
      await expect(open(changes)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
    },
  );
});
