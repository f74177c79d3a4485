import { readdirSync } from 'node:fs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { CacheInPlace } from '../../../engine/generate/cache-in-place.ts';
import { generationGraph } from '../../../engine/generate/generation-graph.ts';
import { Sequence } from '../../../engine/generate/sequence.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { HostTensor } from '../../../engine/runtime/host-tensor.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { goldenPath, goldenTensors, relativeError } from '../../support/golden.ts';
import { type GoldenModel, goldenModel, range } from './golden-model.ts';

/**
 * The logits of all tokens, read in runs of sizes that come round.
 *
 * @param isInPlace with a cache that the graph writes to, here in the memory of the host
 */
async function read(
  model: GoldenModel,
  isInPlace: boolean,
  ids: readonly number[],
  sizes: readonly number[],
): Promise<number[]> {
  const { config, weights } = model;
  const session = await Session.create(generationGraph(model, [], undefined, isInPlace), {
    threads: 1,
    weightsFolder: weights.files().folder,
  });
  const sessions = { areFixed: false, forTokens: async () => session };
  const sequence = new Sequence(config, sessions, undefined, isInPlace ? CPU : undefined);
  const logits: number[] = [];
  try {
    for (let at = 0, run = 0; at < ids.length; run++) {
      const piece = ids.slice(at, at + sizes[run % sizes.length]!);
      logits.push(...(await sequence.append(piece, range(piece.length), ids.length)));
      at += piece.length;
    }
  } finally {
    sequence.release();
    await session.release();
  }
  return logits;
}

test.each(readdirSync(goldenPath('models')))(
  '%s reads a text in place as transformers does',
  async (name) => {
    const model = await goldenModel(name);
    const golden = await goldenTensors('models', name, 'golden.safetensors');
    const ids = Array.from(golden.get('greedy')!.data, Number);
    const inPlace = await read(model, true, ids, [4, 1]);
    expect(relativeError(inPlace, await read(model, false, ids, [ids.length]))).toBeLessThan(1e-4);
  },
);

test('a cache that cannot grow keeps nothing, and can be begun anew', async () => {
  const { config } = await goldenModel('llama2');
  const [layer] = config.layers;
  const tooLarge = { ...layer!, attention: { ...layer!.attention, headDim: 2 ** 50 } };
  const layers = [layer!, tooLarge];
  const cache = new CacheInPlace({ ...config, layers }, CPU);
  const released = vi.spyOn(HostTensor.prototype, 'release');
  onTestFinished(() => released.mockRestore());
  expect(() => cache.feeds(1)).toThrow(RangeError);
  // Of the layer that there was room for.
  expect(released).toHaveBeenCalledTimes(2);
  expect(cache.results()).toEqual({});
  expect(cache.length).toBe(0);
});

test('more tokens than a run may read at once are read in runs', async () => {
  const { config, weights } = await goldenModel('mistral-window');
  const model = { weights, config: { ...config, maxPositionEmbeddings: 1024 } };
  const ids = range(600).map((i) => (i * 7 + 3) % config.vocabSize);
  const inPlace = await read(model, true, ids, [250, 350]);
  const beside = await read(model, false, ids, [100]);
  expect(relativeError(inPlace, beside)).toBeLessThan(1e-4);
});

test.each([
  ['a window in every layer, whose slots are a ring', 'mistral-window'],
  ['all of the text, whose slots double', 'llama2'],
])('%s', async (_, name) => {
  const { config, weights } = await goldenModel(name);
  const model = { weights, config: { ...config, maxPositionEmbeddings: 1024 } };
  const ids = range(400).map((i) => (i * 7 + 3) % config.vocabSize);
  const inPlace = await read(model, true, ids, [100, 1, 128]);
  const beside = await read(model, false, ids, [100, 1, 128]);
  expect(relativeError(inPlace, beside)).toBeLessThan(1e-4);
});
