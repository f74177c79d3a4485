import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { writeSafetensors } from '../../../engine/formats/safetensors-writer.ts';
import { readTensor } from '../../../engine/formats/tensor-data.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { examineWeights } from '../../../engine/weights/examine-weights.ts';
import { goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** A copy of a golden model with the least tokenizer that opening asks for. */
async function modelFolder(source = 'llama2'): Promise<string> {
  const folder = path.join(await tempFolder(), 'tiny');
  await cp(goldenPath('models', source), folder, { recursive: true });
  await writeFile(path.join(folder, 'tokenizer.json'), '{"model":{}}');
  return folder;
}

describe('a Hugging Face folder', () => {
  test('is opened with its tokenizer files', async () => {
    const folder = await modelFolder();
    await writeFile(
      path.join(folder, 'tokenizer_config.json'),
      '{"chat_template":[{"name":"tool_use","template":"no"},{"name":"default","template":"yes"}]}',
    );
    const model = await openBaseModel(folder);
    expect(model).toMatchObject({
      path: folder,
      name: 'tiny',
      configJson: { model_type: 'llama' },
      tokenizer: { chatTemplate: 'yes', generationConfig: null, source: folder },
    });
    await writeFile(path.join(folder, 'chat_template.jinja'), 'from the file');
    expect((await openBaseModel(folder)).tokenizer.chatTemplate).toBe('from the file');
  });

  test('made of symbolic links, as in the hub cache, gives the real folder and names', async () => {
    const folder = await modelFolder();
    const blobs = path.join(folder, 'blobs');
    await mkdir(blobs);
    await rename(path.join(folder, 'model.safetensors'), path.join(blobs, 'abc123'));
    await symlink('blobs/abc123', path.join(folder, 'model.safetensors'));
    const { weights } = await openBaseModel(folder);
    expect(weights.files()).toEqual({ folder: blobs, names: ['abc123'] });
  });

  test('whose shards really lie in different folders is refused when mapped', async () => {
    const folder = await modelFolder('llama-sharded');
    const shard = 'model-00002-of-00003.safetensors';
    await mkdir(path.join(folder, 'elsewhere'));
    await rename(path.join(folder, shard), path.join(folder, 'elsewhere', shard));
    await symlink(path.join('elsewhere', shard), path.join(folder, shard));
    const { weights } = await openBaseModel(folder);
    expect(() => weights.files()).toThrow(/lie in 2 different folders/);
  });
});

describe('what is wrong with a folder is said in one sentence', () => {
  const json = (folder: string, name: string, text: string) =>
    writeFile(path.join(folder, name), text);
  const remove = (folder: string, name: string) => rm(path.join(folder, name));
  const cases: [string, (folder: string) => Promise<void>, string, RegExp][] = [
    [
      'no config',
      (f) => remove(f, 'config.json'),
      'model.not_found',
      /no config.json; a model folder holds/,
    ],
    [
      'config cut short',
      (f) => json(f, 'config.json', '{"a":'),
      'model.corrupt',
      /config.json is not valid JSON/,
    ],
    [
      'config not UTF-8',
      (f) => writeFile(path.join(f, 'config.json'), Uint8Array.of(0x7b, 0xff)),
      'model.corrupt',
      /config.json is not valid UTF-8/,
    ],
    [
      'config a list',
      (f) => json(f, 'config.json', '[]'),
      'model.corrupt',
      /does not hold a JSON object/,
    ],
    [
      'no weights',
      (f) => remove(f, 'model.safetensors'),
      'model.not_found',
      /neither model.safetensors nor/,
    ],
    ['no tokenizer', (f) => remove(f, 'tokenizer.json'), 'model.tokenizer', /no tokenizer.json/],
    [
      'tokenizer cut short',
      (f) => json(f, 'tokenizer.json', '{'),
      'model.tokenizer',
      /tokenizer.json is not valid JSON/,
    ],
  ];

  test.each(cases)('%s', async (_, damage, code, message) => {
    const folder = await modelFolder();
    await damage(folder);
    await expect(openBaseModel(folder)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('nothing there', async () => {
    await expect(openBaseModel('/nowhere/model')).rejects.toMatchObject({
      code: 'model.not_found',
      message: expect.stringMatching(/no model at \/nowhere\/model; give .* or a .gguf file/),
    });
  });

  test('a file that is no model', async () => {
    const file = path.join(await modelFolder(), 'model.safetensors');
    await expect(openBaseModel(file)).rejects.toMatchObject({ code: 'model.unsupported' });
  });

  const indexCases: [string, (index: string) => string, string, RegExp][] = [
    ['no map', () => '{}', 'model.corrupt', /"weight_map" is not an object/],
    [
      'a path out of the folder',
      (s) => s.replace('"model-00001', '"../model-00001'),
      'model.corrupt',
      /not a plain file name/,
    ],
    [
      'a shard that is not there',
      (s) => s.replaceAll('00001-of', '00009-of'),
      'model.not_found',
      /00009/,
    ],
    [
      'a tensor in the wrong shard',
      (s) => s.replace('00001-of', '00002-of'),
      'model.missing_tensor',
      /which model.safetensors.index.json places there/,
    ],
  ];

  test.each(indexCases)('shard index: %s', async (_, change, code, message) => {
    const folder = await modelFolder('llama-sharded');
    const index = path.join(folder, 'model.safetensors.index.json');
    await writeFile(index, change(await readFile(index, 'utf8')));
    await expect(openBaseModel(folder)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});

describe('weights that do not fit the config', () => {
  const norm = 'model.norm.weight';
  /** Rewrites one tensor of a model: another shape, type or content, or left out. */
  async function rewrite(change: {
    drop?: boolean;
    data?: Float32Array;
    dtype?: 'F32' | 'F16' | 'BF16' | 'I32';
  }) {
    const folder = await modelFolder();
    const file = path.join(folder, 'model.safetensors');
    const { tensors } = await openSafetensors(file);
    const kept = await Promise.all(
      [...tensors.values()].map(async (tensor) => ({ ...tensor, data: await readTensor(tensor) })),
    );
    const data = change.data ?? new Float32Array(32);
    const replaced =
      change.dtype === 'I32'
        ? { name: norm, dtype: change.dtype, shape: [32], data: new Uint8Array(128) }
        : { name: norm, dtype: change.dtype ?? ('F32' as const), shape: [data.length], data };
    await writeSafetensors(file, [
      ...kept.filter(({ name }) => name !== norm),
      ...(change.drop ? [] : [replaced]),
    ]);
    return folder;
  }

  test.each([
    [{ drop: true }, 'model.missing_tensor', /no tensor "model.norm.weight" of shape \[32\]/],
    [
      { data: new Float32Array(31) },
      'model.shape_mismatch',
      /"model.norm.weight" in .*model.safetensors has the shape \[31\] where .* \[32\]/,
    ],
    [
      { dtype: 'I32' as const },
      'model.unsupported',
      /"model.norm.weight" in .* holds I32; known for weights are F32, F16 and BF16/,
    ],
  ])('%j', async (change, code, message) => {
    await expect(openBaseModel(await rewrite(change))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ['F32', NaN],
    ['F32', -Infinity],
    ['F16', NaN],
    ['F16', Infinity],
    ['BF16', NaN],
    ['BF16', Infinity],
  ] as const)('%s weights that hold %s are found', async (dtype, value) => {
    const data = new Float32Array(32).fill(65504);
    data[17] = value;
    const model = await openBaseModel(await rewrite({ data, dtype }));
    await expect(examineWeights(model)).rejects.toMatchObject({
      code: 'model.not_finite',
      message: expect.stringMatching(
        /"model.norm.weight" in .*model.safetensors holds NaN or infinity \(element 17\)/,
      ),
    });
  });

  test('of weights that were made of others, the model is named', async () => {
    vi.stubEnv('LORAFA_CACHE_DIR', await tempFolder());
    onTestFinished(() => void vi.unstubAllEnvs());
    const data = new Float32Array(32).fill(1);
    data[17] = Number.NaN;
    const folder = await rewrite({ data, dtype: 'F32' });
    const model = await openBaseModel(folder, { quantization: { kind: 'int8' } });
    await expect(examineWeights(model)).rejects.toMatchObject({
      code: 'model.not_finite',
      message: expect.stringContaining(`"model.norm.weight" in ${folder} holds NaN`),
      location: { file: folder },
    });
  });

  test('finite weights pass, and progress ends at all bytes', async () => {
    const model = await openBaseModel(await modelFolder());
    const total = [...model.weights.tensors.values()].reduce((sum, { length }) => sum + length, 0);
    let last: number[] = [];
    await examineWeights(model, (done, all) => {
      last = [done, all];
    });
    expect(last).toEqual([total, total]);
  });
});
