import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkOnnx } from '../../../engine/export/check-onnx.ts';
import { type ExportRequest, exportResult } from '../../../engine/export/export.ts';
import { genaiConfig } from '../../../engine/export/genai-config.ts';
import { openOnnxData } from '../../../engine/export/onnx-folder.ts';
import { onnxNotes } from '../../../engine/export/onnx-notes.ts';
import type { JsonObject } from '../../../engine/json-file.ts';
import { goldenPath, goldenTensors, relativeError } from '../../support/golden.ts';
import { goldenAdapter } from '../../support/golden-adapter.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { goldenModel } from '../generate/golden-model.ts';
import { type Message, messages, readMessage, texts } from '../onnx/protobuf-reader.ts';
import { OnnxProgram } from './onnx-program.ts';

interface Exported {
  readonly folder: string;
  /** The model that was exported. */
  readonly base: string;
  readonly bytes: number;
  readonly notes: readonly string[];
}

let top: string;
const made = new Map<string, Promise<Exported>>();

beforeAll(async () => {
  top = await mkdtemp(path.join(tmpdir(), 'lorafa-test-'));
});

afterAll(() => rm(top, { recursive: true, force: true }));

/** An export of a golden model, made once. */
function exported(model: string, options: Partial<ExportRequest> = {}): Promise<Exported> {
  const key = JSON.stringify([model, options]);
  const known = made.get(key) ?? exportNow(model, path.join(top, String(made.size)), options);
  made.set(key, known);
  return known;
}

async function exportNow(
  model: string,
  parent: string,
  options: Partial<ExportRequest> = {},
): Promise<Exported> {
  const [base, folder] = [path.join(parent, model), path.join(parent, 'onnx')];
  await goldenModelFolder(model, base);
  const request = { folder: base, format: 'onnx', output: folder, ...options } as const;
  const { bytes, notes } = await exportResult(request);
  return { folder, base, bytes, notes };
}

function json<T = JsonObject>(...parts: string[]): T {
  return JSON.parse(readFileSync(path.join(...parts), 'utf8')) as T;
}

async function rows(model: string, name: string): Promise<number[][]> {
  const golden = (await goldenTensors('models', model, 'golden.safetensors')).get(name)!;
  const [count] = golden.shape as [number];
  const all = Array.from(golden.data, Number);
  const size = all.length / count;
  return Array.from({ length: count }, (_, row) => all.slice(row * size, (row + 1) * size));
}

/** Every part that families differ in: windows, caps, angles, parallel layers, fused layers, experts. */
const MODELS = ['cohere2', 'gemma2', 'gpt-neox', 'llama3-gqa', 'mixtral', 'phi3', 'qwen3-mixed'];

describe('logits of transformers', () => {
  test.each(MODELS)('%s, of a batch, at once and over a cache', async (model) => {
    const { folder } = await exported(model);
    const [ids, mask, expected] = [
      await rows(model, 'input_ids'),
      await rows(model, 'attention_mask'),
      await rows(model, 'logits'),
    ];
    const vocab = expected[0]!.length / ids[0]!.length;
    const program = await OnnxProgram.load(folder);
    // The second text is shorter; others pad it on the left.
    const padding = mask[1]!.filter((real) => real === 0).length;
    const toLeft = ([first, second]: number[][]): number[][] => {
      const real = second!.slice(0, second!.length - padding);
      return [first!, [...second!.slice(real.length), ...real]];
    };
    expect(padding).toBeGreaterThan(0);
    const texts = (logits: number[][], left: boolean): number[] => {
      const [first, second] = logits as [number[], number[]];
      const from = left ? padding * vocab : 0;
      return [...first, ...second.slice(from, from + second.length - padding * vocab)];
    };
    const whole = texts(expected, false);
    for (const size of [ids[0]!.length, 5]) {
      const right = await program.read(ids, mask, size);
      expect(relativeError(texts(right, false), whole)).toBeLessThan(1e-4);
      const left = await program.read(toLeft(ids), toLeft(mask), size);
      expect(relativeError(texts(left, true), whole)).toBeLessThan(1e-4);
    }
    await program.release();
  });

  test('of a model with an adapter of PEFT in its weights', async () => {
    const name = 'family-gpt-neox';
    const { base } = await exported('gpt-neox');
    const output = `${base}-adapted`;
    await exportResult({ folder: goldenAdapter(name), base, format: 'onnx', output });
    const golden = await goldenTensors('training', name, 'golden.safetensors');
    const data = await goldenTensors('training', name, 'data.safetensors');
    const { shape, data: logits } = golden.get('initial_logits')!;
    const [count, length] = shape as [number, number, number];
    const table = (tensor: string): number[][] =>
      Array.from({ length: count }, (_, row) =>
        Array.from(data.get(tensor)!.data, Number).slice(row * length, (row + 1) * length),
      );
    const program = await OnnxProgram.load(output);
    const found = (await program.read(table('input_ids'), table('attention_mask'), length)).flat();
    await program.release();
    const real = table('attention_mask').flat();
    const vocab = logits.length / real.length;
    const ofTokens = (all: ArrayLike<number>): number[] =>
      Array.from(all).filter((_, i) => real[Math.floor(i / vocab)] === 1);
    expect(relativeError(ofTokens(found), ofTokens(logits))).toBeLessThan(1e-4);
  });

  test('in float16 as near as that rounds weights', async () => {
    const { folder } = await exported('llama3-gqa', { dtype: 'f16' });
    const ids = (await rows('llama3-gqa', 'input_ids')).slice(0, 1);
    const mask = ids.map((row) => row.map(() => 1));
    const program = await OnnxProgram.load(folder, 'model_fp16.onnx');
    const [found] = await program.read(ids, mask, ids[0]!.length);
    await program.release();
    const [expected] = await rows('llama3-gqa', 'logits');
    const error = relativeError(found!, expected!);
    expect(error).toBeLessThan(5e-3);
    expect(error).toBeGreaterThan(1e-5);
  });
});

describe('one folder for both programs', () => {
  test('has the files that they look for', async () => {
    const { folder, bytes } = await exported('qwen3');
    expect(readdirSync(folder, { recursive: true }).toSorted()).toEqual([
      'config.json',
      'genai_config.json',
      'generation_config.json',
      'onnx',
      'onnx/model.onnx',
      'onnx/model.onnx_data',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(bytes).toBeGreaterThan(readFileSync(path.join(folder, 'onnx/model.onnx_data')).length);
    expect(json(folder, 'genai_config.json')).toMatchObject({
      model: {
        bos_token_id: 1,
        eos_token_id: [2],
        type: 'decoder',
        decoder: {
          filename: 'onnx/model.onnx',
          head_size: 16,
          num_attention_heads: 4,
          num_key_value_heads: 2,
          num_hidden_layers: 2,
          inputs: { past_key_names: 'past_key_values.%d.key', position_ids: 'position_ids' },
          outputs: { present_value_names: 'present.%d.value' },
        },
      },
      search: { past_present_share_buffer: false },
    });
    expect(json(folder, 'config.json')).toEqual({
      ...json(goldenPath('models', 'qwen3', 'config.json')),
      dtype: 'float32',
      'transformers.js_config': {
        dtype: 'fp32',
        use_external_data_format: { 'model.onnx': 1 },
      },
    });
    expect(json(folder, 'generation_config.json')).toEqual({ eos_token_id: [2] });
  });

  test('in float16, with weights in several files', async () => {
    const { folder } = await exported('qwen3', { dtype: 'f16', maxShardBytes: 20_000 });
    const files = readdirSync(path.join(folder, 'onnx')).toSorted();
    expect(files.slice(0, 3)).toEqual([
      'model_fp16.onnx',
      'model_fp16.onnx_data',
      'model_fp16.onnx_data_1',
    ]);
    expect(json(folder, 'config.json')).toMatchObject({
      dtype: 'float16',
      'transformers.js_config': {
        dtype: 'fp16',
        use_external_data_format: { 'model_fp16.onnx': files.length - 1 },
      },
    });
    expect(json(folder, 'genai_config.json')).toMatchObject({
      model: { decoder: { filename: 'onnx/model_fp16.onnx' } },
    });
    const program = await OnnxProgram.load(folder, 'model_fp16.onnx');
    expect(await program.read([[5]], [[1]], 1)).toHaveLength(1);
    await program.release();
  });

  test('has inputs and outputs under their names, with sizes that are free', async () => {
    const { folder } = await exported('qwen3');
    const program = await OnnxProgram.load(folder);
    const layers = (name: string, slots: string) =>
      [0, 1].flatMap((layer) =>
        ['key', 'value'].map((kind) => ({
          name: `${name}.${layer}.${kind}`,
          type: 'float32',
          shape: ['batch_size', 2, slots, 16],
        })),
      );
    const all = 'past_sequence_length+sequence_length';
    const told = (values: typeof program.inputs) =>
      values.map((value) => ({ ...value, isTensor: undefined }));
    expect(told(program.inputs)).toMatchObject([
      { name: 'input_ids', type: 'int64', shape: ['batch_size', 'sequence_length'] },
      { name: 'attention_mask', type: 'int64', shape: ['batch_size', all] },
      { name: 'position_ids', type: 'int64', shape: ['batch_size', 'sequence_length'] },
      ...layers('past_key_values', 'past_sequence_length'),
    ]);
    expect(told(program.outputs)).toMatchObject([
      { name: 'logits', type: 'float32', shape: ['batch_size', 'sequence_length', 96] },
      ...layers('present', all),
    ]);
    await program.release();
  });

  test('a family that one of them does not know is told', async () => {
    expect((await exported('mixtral')).notes).toEqual([
      'transformers.js has no class for models of the type mixtral; ONNX Runtime GenAI loads the folder.',
    ]);
    expect((await exported('qwen3')).notes).toEqual([]);
  });

  test('what happens to texts that become long is told, of the programs that do not read them again', async () => {
    expect((await exported('phi3')).notes).toEqual([
      'This model turns all of a text by other angles from 17 tokens on, and ONNX Runtime GenAI and transformers.js do not read what was before again, so that a text that grows beyond goes on worse; begin it anew there.',
    ]);
    const { config } = await goldenModel('phi3');
    const layers = config.layers.map((layer) => {
      const rotary = layer.attention.rotary!;
      const scaling = { ...rotary.scaling!, originalMaxPositionEmbeddings: 4096 };
      return { ...layer, attention: { ...layer.attention, rotary: { ...rotary, scaling } } };
    });
    const published = { ...config, layers } as typeof config;
    const [options, filename] = [{ tokenizer: { eosIds: [2] }, generationConfig: null }, 'x'];
    expect(genaiConfig({ config: published, ...options, filename })).toMatchObject({
      model: { type: 'phi3' },
    });
    expect(onnxNotes(published)[0]).toContain('on, and transformers.js does not read');
  });
});

/** What the specification of ONNX has, of that which is used; see the list of its operators. */
const STANDARD = new Set(
  'Add And Cast Concat Cos CumSum Div Equal Erf Exp Expand Gather Gelu Gemm Less LessOrEqual MatMul Mod Mul Neg NonZero Reciprocal ReduceMax ReduceMean ReduceSum Reshape ScatterElements Shape Sigmoid Sin Slice Softmax Split Sqrt Sub Tanh TopK Transpose Where'.split(
    ' ',
  ),
);

test.each(MODELS)('the graph of %s is in order, of ops that others have', async (model) => {
  const { folder } = await exported(model);
  const [graph] = messages(readMessage(readFileSync(path.join(folder, 'onnx/model.onnx'))), 7);
  const names = (field: number, name: number): string[] =>
    messages(graph!, field).flatMap((each) => texts(each, name));
  const known = new Set(['', ...names(5, 8), ...names(11, 1)]);
  for (const node of messages(graph!, 1)) {
    expect(texts(node, 1).filter((input) => !known.has(input))).toEqual([]);
    for (const output of texts(node, 2)) known.add(output);
    expect(isKnown(node), `${texts(node, 7)[0]} ${texts(node, 4)[0]}`).toBe(true);
  }
});

function isKnown(node: Message): boolean {
  const [[op], [domain]] = [texts(node, 4), texts(node, 7)];
  return domain === 'com.microsoft' ? op === 'RotaryEmbedding' : STANDARD.has(op!);
}

describe('what cannot be exported, or was not, is told', () => {
  test('layers whose caches have different shapes', async () => {
    const { config } = await goldenModel('qwen3');
    const layers = config.layers.map((layer, index) => ({
      ...layer,
      attention: { ...layer.attention, headDim: 16 * (index + 1) },
    }));
    expect(() =>
      genaiConfig({
        config: { ...config, layers },
        tokenizer: { eosIds: [2] },
        generationConfig: null,
        filename: 'onnx/model.onnx',
      }),
    ).toThrow(
      'The cache of model.layers.1 holds 2 heads of 32 where that of model.layers.0 holds 2 heads of 16',
    );
  });

  test('types that are not written', async () => {
    await expect(exported('qwen3', { dtype: 'bf16' })).rejects.toMatchObject({
      code: 'usage.invalid',
      message: expect.stringContaining('f32, f16'),
    });
  });

  test('a graph that computes something else', async () => {
    const { folder } = await exportNow('qwen3', await tempFolder());
    const weights = await openOnnxData(folder, 'f32', 1);
    const { config } = await goldenModel('qwen3');
    const file = path.join(folder, 'onnx/model.onnx');
    await checkOnnx(file, config, weights, () => undefined);
    const layers = config.layers.map((layer) => ({ ...layer, residualScale: 1.1 }));
    await expect(
      checkOnnx(file, { ...config, layers }, weights, () => undefined),
    ).rejects.toMatchObject({
      code: 'export.wrong_values',
      message: expect.stringContaining('gives the logit'),
    });
    // It reads the weights where the file says, and not those that are known to be there.
    await rm(path.join(folder, 'onnx/model.onnx_data'));
    await expect(OnnxProgram.load(folder)).rejects.toThrow('model.onnx_data');
  });
});

test('the text of a model that reads images is a model of its own for others', async () => {
  const { folder } = await exported('gemma3-whole');
  const config = json(folder, 'config.json');
  expect(config).toMatchObject({
    ...{ architectures: ['Gemma3ForCausalLM'], model_type: 'gemma3_text', hidden_size: 32 },
    // Said of all of the model.
    ...{ tie_word_embeddings: true, dtype: 'float32' },
  });
  expect(config).not.toHaveProperty('vision_config');
});
