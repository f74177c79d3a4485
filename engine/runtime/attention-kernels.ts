import { ATTENTION_OPS, type AttentionSizes } from '../graph/ops/attention.ts';
import type { AttentionThreads } from './attention-threads.ts';
import { ChunkAttention, type ChunkSizes } from './chunk-attention.ts';
import type { CustomKernel, CustomOp } from './custom-ops.ts';
import type { Onednn } from './onednn.ts';
import { keyOf, SharedPool } from './shared-pool.ts';
import { SplitAttention } from './split-attention.ts';

/** The index of the bias among the inputs of attention of a chunk. */
const BIAS = 3;

const FLOAT32_BYTES = 4;

/** The ops of `engine/graph/ops/attention.ts`. All layers of one kind share what they compute with. */
export function attentionOps(onednn: Onednn, threads: AttentionThreads): readonly CustomOp[] {
  // Each thread computes alone: primitives for one thread are no others' primitives.
  const pool = new SharedPool();
  const take = (attribute: (name: string) => number) => {
    const sizes = attentionSizes(attribute);
    const attention = pool.take(
      keyOf('attention', sizes),
      () => new SplitAttention(onednn, pool, sizes, threads),
    );
    return { sizes, ...attention };
  };
  return [
    {
      name: ATTENTION_OPS.causalAttention,
      inputs: ['float32', 'float32', 'float32', 'float32'],
      isLastOptional: true,
      output: 'float32',
      open: (attribute): CustomKernel => {
        const { sizes, shared, release } = take(attribute);
        return {
          shape: [sizes.rows * sizes.length, sizes.numHeads * sizes.headDim],
          compute: ([query, key, value, beginnings], result) =>
            shared.attend({ query: query!, key: key!, value: value!, beginnings }, result),
          release,
        };
      },
    },
    {
      name: ATTENTION_OPS.chunkAttention,
      inputs: ['float32', 'float32', 'float32', 'float32'],
      output: 'float32',
      open: (attribute): CustomKernel => {
        const sizes: ChunkSizes = {
          tokens: attribute('tokens'),
          numHeads: attribute('heads'),
          numKeyValueHeads: attribute('groups'),
          headDim: attribute('width'),
        };
        const { shared, release } = pool.take(
          keyOf('chunk', sizes, onednn.threads),
          () => new ChunkAttention(onednn, sizes),
        );
        return {
          shape: [sizes.tokens, sizes.numHeads * sizes.headDim],
          compute: ([query, key, value, bias], result, bytesOf) =>
            shared.attend(
              { query: query!, key: key!, value: value!, bias: bias! },
              bytesOf(BIAS) / (FLOAT32_BYTES * sizes.tokens),
              result,
            ),
          release,
        };
      },
    },
    {
      name: ATTENTION_OPS.causalAttentionGradients,
      inputs: ['float32', 'float32', 'float32', 'float32', 'float32'],
      isLastOptional: true,
      output: 'float32',
      open: (attribute): CustomKernel => {
        const { sizes, shared, release } = take(attribute);
        const heads = sizes.numHeads + 2 * sizes.numKeyValueHeads;
        return {
          shape: [sizes.rows * sizes.length * heads * sizes.headDim],
          compute: ([query, key, value, gradient, beginnings], result) =>
            shared.gradients(
              { query: query!, key: key!, value: value!, beginnings },
              gradient!,
              result,
            ),
          release,
        };
      },
    },
  ];
}

function attentionSizes(attribute: (name: string) => number): AttentionSizes {
  const window = attribute('window');
  return {
    rows: attribute('rows'),
    length: attribute('length'),
    numHeads: attribute('heads'),
    numKeyValueHeads: attribute('groups'),
    headDim: attribute('width'),
    window: window === 0 ? null : window,
    products: attribute('bfloat16') === 1 ? 'bfloat16' : 'float32',
  };
}
