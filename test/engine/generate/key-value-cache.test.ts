import { describe, expect, test } from 'vitest';
import type { DecoderConfig } from '../../../engine/architectures/decoder-config.ts';
import { GENERATION_TENSORS as names } from '../../../engine/generate/generation-graph.ts';
import { cacheBytes, cacheSlots, KeyValueCache } from '../../../engine/generate/key-value-cache.ts';
import type { Tensor } from '../../../engine/runtime/tensor.ts';
import { goldenModel } from './golden-model.ts';

/** What a run of the generation graph gives for so many new tokens. */
function newTokens(config: DecoderConfig, count: number): Record<string, Tensor> {
  const { numLayers, numKeyValueHeads, headDim } = config;
  const shape = [count, numKeyValueHeads, headDim];
  const tensor = { data: new Float32Array(count * numKeyValueHeads * headDim), shape };
  const layers = Array.from({ length: numLayers }, (_, layer) => layer);
  return Object.fromEntries(
    layers.flatMap((layer) => [
      [names.newKey(layer), tensor],
      [names.newValue(layer), tensor],
    ]),
  );
}

describe('the size of a cache is known before', () => {
  test.each([
    ['a short text', 4, {}],
    ['one that just fits', 128, {}],
    ['one that grows', 129, {}],
    ['one that grows often', 700, {}],
    ['one that fills the context', 1000, { maxPositionEmbeddings: 900 }],
    ['one beyond a window', 700, { slidingWindow: 200 }],
    ['one in a narrow window', 20, { slidingWindow: 8 }],
  ])('%s: %d tokens', async (_, tokens, changes) => {
    const config = {
      ...(await goldenModel('mistral')).config,
      maxPositionEmbeddings: 2048,
      ...changes,
    };
    const cache = new KeyValueCache(config);
    for (let done = 0; done < tokens; ) {
      const count = done === 0 ? Math.min(tokens, 100) : 1;
      cache.append(count, newTokens(config, count));
      done += count;
    }
    const { [names.pastPositions]: positions, ...feeds } = cache.feeds();
    const slots = cacheSlots(config, tokens);
    expect(positions!.data).toHaveLength(slots);
    const bytes = Object.values(feeds).reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(cacheBytes(config, slots)).toBe(bytes);
  });
});
