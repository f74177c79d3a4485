import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { outputEmbeddingName } from '../../../engine/architectures/decoder.ts';
import { linearModules } from '../../../engine/architectures/linear-modules.ts';
import { BLOCKWISE_NAMES, type TensorInBlocks } from '../../../engine/formats/blockwise.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import {
  type TensorToWrite,
  writeSafetensors,
} from '../../../engine/formats/safetensors-writer.ts';
import { readTensor, readTensorRaw } from '../../../engine/formats/tensor-data.ts';
import { transposed } from '../../../engine/formats/transposed.ts';
import { fixedSizes, generationGraph } from '../../../engine/generate/generation-graph.ts';
import { CHUNK_SIZES } from '../../../engine/generate/generation-runs.ts';
import { chunkWeights } from '../../../engine/generate/generation-weights.ts';
import { type BaseModel, openBaseModel } from '../../../engine/models/base-model.ts';
import { hasTiles } from '../../../engine/runtime/bfloat16.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { quantizedWeights } from '../../../engine/weights/make-weights.ts';
import { WeightStore } from '../../../engine/weights/weight-store.ts';
import { goldenPath, relativeError } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';
import { range, withSessions } from '../generate/golden-model.ts';
import { goldenModel } from '../train/golden-case.ts';

/** Codes of a block. */
const SIZE = 16;

/** Tokens of a chunk. */
const [CHUNK] = CHUNK_SIZES;

/** What activations lose in eight bits, layer by layer, of which random weights keep all. */
const ROUNDING = 5e-2;

type Bits = 4 | 8;

const logits = (model: BaseModel) =>
  withSessions(model, async (sessions) =>
    (await sessions.sequence(null)).append([5, 9, 2, 14, 7], range(5)),
  );

/** A matrix in blocks, with offsets where codes have four bits, and the values that it then has. */
function inBlocks(name: string, matrix: Float32Array, width: number, bits: Bits) {
  const rows = matrix.length / width;
  const blocks = width / SIZE;
  const [largest, middle] = [2 ** bits - 1, 2 ** (bits - 1)];
  const scales = new Float32Array(rows * blocks);
  const offsets = new Float32Array(rows * blocks);
  const codes = new Uint8Array(matrix.length);
  const values = new Float32Array(matrix.length);
  for (let block = 0; block < scales.length; block++) {
    const part = matrix.subarray(block * SIZE, (block + 1) * SIZE);
    const [least, most] = [Math.min(...part), Math.max(...part)];
    offsets[block] = bits === 4 ? (least + most) / 2 : 0;
    const reach = bits === 4 ? (most - least) / 2 : Math.max(-least, most);
    scales[block] = reach / (largest - middle);
    for (let i = 0; i < SIZE; i++) {
      const code = Math.round((part[i]! - offsets[block]!) / (scales[block]! || 1)) + middle;
      const at = block * SIZE + i;
      codes[at] = Math.min(largest, Math.max(0, code));
      values[at] = scales[block]! * (codes[at]! - middle) + offsets[block]!;
    }
  }
  const packed =
    bits === 8
      ? codes
      : codes.filter((_, i) => i % 2 === 0).map((code, i) => code | (codes[2 * i + 1]! << 4));
  const shape = [rows, blocks];
  const tensors: TensorToWrite[] = [
    { name, dtype: 'U8', shape: [...shape, (SIZE * bits) / 8], data: packed },
    { name: BLOCKWISE_NAMES.scales(name), dtype: 'F32', shape, data: scales },
  ];
  if (bits === 4)
    tensors.push({ name: BLOCKWISE_NAMES.offsets(name), dtype: 'F32', shape, data: offsets });
  return { tensors, values };
}

/** A model in blocks, and one of the values that it then has. */
async function bothForms(model: BaseModel, bits: Bits) {
  const { config } = model;
  const linear = new Map(
    linearModules(config).map(({ name, fanInFanOut }) => [`${name}.weight`, fanInFanOut]),
  );
  const tables = [`${config.embedding.name}.weight`, outputEmbeddingName(config)];
  const source: TensorInBlocks[] = [];
  const plain: TensorToWrite[] = [];
  for (const location of model.weights.tensors.values()) {
    const { name, dtype, shape } = location;
    const tensor = { name, dtype, shape, data: () => readTensorRaw(location) };
    if (!linear.has(name) && !tables.includes(name)) {
      source.push(tensor);
      plain.push(tensor);
      continue;
    }
    const stored = await readTensor(location);
    const isTurned = linear.get(name) === true;
    const matrix = isTurned ? transposed(stored, shape[0]!) : stored;
    const made = inBlocks(name, matrix, shape[isTurned ? 0 : 1]!, bits);
    source.push({ ...tensor, inBlocks: made.tensors });
    const values = isTurned ? transposed(made.values, shape[1]!) : made.values;
    plain.push({ name, dtype: 'F32', shape, data: values });
  }
  const folder = await tempFolder();
  const file = path.join(folder, 'model.safetensors');
  await writeSafetensors(file, plain);
  const weights = await quantizedWeights(
    config,
    { model: 'model', sources: [file], tensors: source },
    { kind: 'blockwise' },
    { cacheFolder: folder },
  );
  const expected = new WeightStore((await openSafetensors(file)).tensors);
  return [
    { ...model, weights },
    { ...model, weights: expected },
  ] as const;
}

describe.each([4, 8] as const)('a model in blocks of codes of %i bits', (bits) => {
  test.each(['llama2', 'llama-bias', 'qwen3', 'gemma2', 'gpt2', 'mixtral'])(
    'generates as the model of its values: %s',
    async (name) => {
      const [blockwise, plain] = await bothForms(await goldenModel(name), bits);
      const expected = await logits(plain);
      expect(relativeError(await logits(blockwise), expected)).toBeLessThan(ROUNDING);
    },
  );
});

describe.runIf(hasTiles(CPU))('whole chunks of a model in blocks', () => {
  const chunk = range(CHUNK).map((i) => (i * 7) % 60);
  /**
   * Logits of the last token of a chunk, and of one that reads the keys and values of the chunk.
   *
   * @param pieces that the chunk is read in
   */
  const read = ({ config, weights }: BaseModel, pieces = [chunk]) =>
    withSessions(
      { config: { ...config, maxPositionEmbeddings: 200 }, weights },
      async (sessions) => {
        const sequence = await sessions.sequence(null);
        let last: Float32Array | undefined;
        for (const piece of pieces) last = await sequence.append(piece);
        return [...last!, ...(await sequence.append([5]))];
      },
    );

  test.each(['llama2', 'llama-bias', 'qwen3', 'gemma2', 'gpt2'])(
    'of eight bits are read in bfloat16: %s',
    async (name) => {
      const [blockwise, plain] = await bothForms(await goldenModel(name), 8);
      const actual = await read(blockwise);
      const expected = await read(plain);
      expect(relativeError(actual, expected)).toBeLessThan(ROUNDING);
      // Fewer tokens at once have activations in eight bits. But for that, logits differ by less than 1e-6.
      const inPieces = await read(blockwise, [chunk.slice(0, -1), chunk.slice(-1)]);
      expect(relativeError(inPieces, actual)).toBeGreaterThan(1e-3);
    },
  );

  test('have an output layer that is stored in bfloat16 as exact as tokens have it', async () => {
    const model = await goldenModel('llama2');
    const { config, weights } = model;
    const [{ weights: blockwise }] = await bothForms(model, 8);
    const name = outputEmbeddingName(config);
    const tensors = new Map(blockwise.tensors);
    tensors.delete(BLOCKWISE_NAMES.scales(name));
    tensors.set(name, { ...weights.get(name), dtype: 'BF16' });
    const chunks = chunkWeights({ config, weights: new WeightStore(tensors) })!;
    const { values } = generationGraph({ config, weights: chunks }, [], fixedSizes(CHUNK));
    const ops = new Set(values.map(({ op }) => op));
    expect([ops.has('matmulBlocks'), ops.has('matvecBfloat16')]).toEqual([true, true]);
    expect(ops).not.toContain('matmulBfloat16');
  });

  test('with codes of four bits, experts or another device are read as tokens are', async () => {
    const [ofFour] = await bothForms(await goldenModel('llama2'), 4);
    const [ofExperts] = await bothForms(await goldenModel('mixtral'), 8);
    const [ofEight, plain] = await bothForms(await goldenModel('llama2'), 8);
    const others = [ofFour, ofExperts, plain].map((model) => chunkWeights(model));
    expect([...others, chunkWeights(ofEight, { kind: 'cuda', index: 0 })]).toEqual(
      Array(4).fill(undefined),
    );
  });
});

describe('a GGUF file', () => {
  const opened = (file: string, cacheFolder: string) =>
    openBaseModel(file, { cacheFolder, quantization: { kind: 'blockwise' } });

  test.each(['llama2', 'qwen2'])('is read into blocks, and generates: %s', async (name) => {
    const cacheFolder = await tempFolder();
    const file = goldenPath('gguf', `${name}-q8_0.gguf`);
    const blockwise = await opened(file, cacheFolder);
    expect(await readdir(cacheFolder)).toEqual(['blockwise', 'in-use']);
    const unpacked = await openBaseModel(file, { cacheFolder });
    const expected = await logits(unpacked);
    expect(relativeError(await logits(blockwise), expected)).toBeLessThan(ROUNDING);
  });

  test('of plain tensors is used where it lies', async () => {
    const cacheFolder = await tempFolder();
    const file = goldenPath('gguf', 'qwen2-f32.gguf');
    expect((await opened(file, cacheFolder)).weights.files().names).toEqual(['qwen2-f32.gguf']);
    expect(await readdir(cacheFolder)).toEqual([]);
  });
});

test('a folder of safetensors is used where it lies', async () => {
  const cacheFolder = await tempFolder();
  const folder = path.join(cacheFolder, 'model');
  await writeTinyModel(folder);
  const { weights } = await openBaseModel(folder, {
    cacheFolder,
    quantization: { kind: 'blockwise' },
  });
  expect(weights.files().names).toEqual(['model.safetensors']);
  expect(await readdir(cacheFolder)).toEqual(['model']);
});
