import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { cacheBytes, cacheSlots } from '../../../engine/generate/cache-size.ts';
import { GENERATION_TENSORS } from '../../../engine/generate/generation-graph.ts';
import { RUN_SIZES } from '../../../engine/generate/generation-runs.ts';
import { KeyValueCache } from '../../../engine/generate/key-value-cache.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { HostTensor } from '../../../engine/runtime/host-tensor.ts';
import type { Tensor } from '../../../engine/runtime/tensor.ts';
import { decoderConfig } from '../../support/decoder-config.ts';
import { range } from './golden-model.ts';

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
    const cache = new KeyValueCache(config, CPU);
    for (let done = 0; done < tokens; ) {
      const count = done === 0 ? Math.min(tokens, 100) : 1;
      cache.feeds(count);
      cache.append(count);
      done += count;
    }
    // Runs are fed parts of memory that is there as a whole.
    const tensors = Object.values(cache.results()) as HostTensor[];
    const bytes = tensors.reduce((sum, { data }) => sum + data.buffer.byteLength, 0);
    expect(bytes).toBe(cacheBytes(config, cacheSlots(config, tokens)));
  });
});

test('a ring of slots has room for the largest run beside the window of its first token', () => {
  const window = 200;
  const config = decoderConfig({
    architectures: ['MistralForCausalLM'],
    num_key_value_heads: 2,
    sliding_window: window,
    max_position_embeddings: 4096,
  });
  const cache = new KeyValueCache(config, CPU);
  const size = Math.max(...RUN_SIZES);
  for (let start = 0; start < 8 * size; start += size) {
    const { data } = cache.feeds(size)[GENERATION_TENSORS.slotPositions] as Tensor;
    const held = new Set([...data].map(Number));
    const first = Math.max(0, start - window + 1);
    const seen = range(start + size - first).map((token) => first + token);
    expect(seen.filter((position) => !held.has(position))).toEqual([]);
    cache.append(size);
  }
});

test('a cache that cannot grow keeps nothing, and can be begun anew', () => {
  const config = decoderConfig({});
  const [layer] = config.layers;
  const tooLarge = { ...layer!, attention: { ...layer!.attention, headDim: 2 ** 50 } };
  const cache = new KeyValueCache({ ...config, layers: [layer!, tooLarge] }, CPU);
  const released = vi.spyOn(HostTensor.prototype, 'release');
  onTestFinished(() => released.mockRestore());
  expect(() => cache.feeds(1)).toThrow(RangeError);
  // Of the layer that there was room for.
  expect(released).toHaveBeenCalledTimes(2);
  expect(cache.results()).toEqual({});
  expect(cache.length).toBe(0);
});
