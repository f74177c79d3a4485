import { describe, expect, test } from 'vitest';
import type { DecoderConfig } from '../../../engine/architectures/decoder-config.ts';
import { GENERATION_TENSORS as names } from '../../../engine/generate/generation-graph.ts';
import { cacheBytes, cacheSlots, KeyValueCache } from '../../../engine/generate/key-value-cache.ts';
import type { Tensor } from '../../../engine/runtime/tensor.ts';
import { decoderConfig } from '../../support/decoder-config.ts';

/** What a run of the generation graph gives for so many new tokens. */
function newTokens(config: DecoderConfig, count: number): Record<string, Tensor> {
  return Object.fromEntries(
    config.layers.flatMap(({ attention: { numKeyValueHeads, headDim } }, layer) => {
      const shape = [count, numKeyValueHeads, headDim];
      const tensor = { data: new Float32Array(count * numKeyValueHeads * headDim), shape };
      return [
        [names.newKey(layer), tensor],
        [names.newValue(layer), tensor],
      ];
    }),
  );
}

/** Every other layer sees all that came before. */
const GEMMA = { architectures: ['Gemma2ForCausalLM'], sliding_window: 8, head_dim: 16 };

describe('the size of a cache is known before', () => {
  test.each([
    ['a short text', 4, {}],
    ['one that just fits', 128, {}],
    ['one that grows', 129, {}],
    ['one that grows often', 700, {}],
    ['one that fills the context', 1000, { max_position_embeddings: 900 }],
    ['one beyond a window', 700, { sliding_window: 200 }],
    ['one in a narrow window', 20, { sliding_window: 8 }],
    ['one whose layers look back differently', 700, GEMMA],
  ])('%s: %d tokens', (_, tokens, changes) => {
    const config = decoderConfig({
      architectures: ['MistralForCausalLM'],
      num_key_value_heads: 2,
      sliding_window: null,
      max_position_embeddings: 2048,
      ...changes,
    });
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
