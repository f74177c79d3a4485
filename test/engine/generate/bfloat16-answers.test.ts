import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { bfloat16ToFloat32, float32ToBfloat16 } from '../../../engine/formats/float16.ts';
import { writeSafetensors } from '../../../engine/formats/safetensors-writer.ts';
import { fixedSizes, generationGraph } from '../../../engine/generate/generation-graph.ts';
import { inChunks } from '../../../engine/generate/generation-runs.ts';
import { generationWeights } from '../../../engine/generate/generation-weights.ts';
import type { Sequence } from '../../../engine/generate/sequence.ts';
import { openWeights } from '../../../engine/models/hugging-face-folder.ts';
import { storedTensors } from '../../../engine/weights/quantization.ts';
import { readValues } from '../../../engine/weights/weight-values.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { relativeError } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { type GoldenModel, goldenModel, range, withSessions } from './golden-model.ts';

/** Families whose attention, norms, biases, positions or experts differ. */
const FAMILIES = ['llama2', 'qwen2', 'gemma2', 'gpt-neox', 'qwen3-moe'];

/** A golden model of the very same numbers, rounded to bfloat16, stored in two types. */
async function roundedTwice(name: string): Promise<{ f32: GoldenModel; bf16: GoldenModel }> {
  const { config, weights } = await goldenModel(name);
  const stored = async (dtype: 'F32' | 'BF16'): Promise<GoldenModel> => {
    const folder = await tempFolder();
    const tensors = storedTensors(weights).map((tensor) => ({
      ...tensor,
      dtype,
      data: async () => bfloat16ToFloat32(float32ToBfloat16(await readValues(tensor))),
    }));
    await writeSafetensors(path.join(folder, 'model.safetensors'), tensors, { format: 'pt' });
    return { config, weights: await openWeights(folder, config) };
  };
  return { f32: await stored('F32'), bf16: await stored('BF16') };
}

/** Logits of a text's last tokens: of a chunk, of a rest that is filled up, and of single tokens. */
async function read(sequence: Sequence, ids: readonly number[]): Promise<number[]> {
  const logits: number[] = [];
  logits.push(...(await sequence.append(ids.slice(0, 37))));
  logits.push(...(await sequence.append(ids.slice(37, 40), [2, 0])));
  for (const id of ids.slice(40)) logits.push(...(await sequence.append([id])));
  return logits;
}

describe.runIf(hasBfloat16)('answers by weights that are stored in bfloat16', () => {
  test.each(FAMILIES)('%s: as exact as in float32', async (name) => {
    const { f32, bf16 } = await roundedTwice(name);
    expect(generationWeights(f32)).toBe(f32.weights);
    expect(generationWeights(bf16).compute).toBe('bfloat16x2');
    const ids = range(44).map((i) => (i * 7) % f32.config.vocabSize);
    const [expected, actual] = await Promise.all(
      [f32, bf16].map((model) =>
        withSessions(model, async (sessions) => read(await sessions.sequence(null), ids)),
      ),
    );
    expect(actual).toHaveLength(expected!.length);
    expect(relativeError(actual!, expected!)).toBeLessThan(2e-5);
  });

  test('chunks of a long text see all of a window', async () => {
    const { f32, bf16 } = await roundedTwice('mistral-window');
    const layers = f32.config.layers.map((layer) => ({
      ...layer,
      attention: { ...layer.attention, slidingWindow: 200 },
    }));
    const config = { ...f32.config, layers, maxPositionEmbeddings: 1024 };
    const ids = range(512).map((i) => (i * 7) % config.vocabSize);
    const lastOf = (weights: GoldenModel['weights'], chunks: readonly (readonly number[])[]) =>
      withSessions({ config, weights }, async (sessions) => {
        const sequence = await sessions.sequence(null);
        let last: Float32Array = new Float32Array();
        for (const chunk of chunks) last = await sequence.append(chunk);
        return last;
      });
    const expected = await lastOf(
      f32.weights,
      range(128).map((i) => ids.slice(4 * i, 4 * i + 4)),
    );
    expect(relativeError(await lastOf(bf16.weights, inChunks(ids)), expected)).toBeLessThan(2e-5);
  });

  test('no weight of a matrix is upcast for a token', async () => {
    const { bf16 } = await roundedTwice('llama2');
    const model = { ...bf16, weights: generationWeights(bf16) };
    const { values } = generationGraph(model, [], fixedSizes(1));
    const upcast = values.filter(
      ({ op, inputs, shape }) => op === 'cast' && inputs[0]!.op === 'weight' && shape.length > 1,
    );
    expect(upcast).toEqual([]);
    expect(values.filter(({ op }) => op === 'matvecBfloat16').length).toBeGreaterThan(0);
  });

  test('another device computes in float32', async () => {
    const { bf16 } = await roundedTwice('llama2');
    expect(generationWeights(bf16, { kind: 'cuda', index: 0 })).toBe(bf16.weights);
  });
});
