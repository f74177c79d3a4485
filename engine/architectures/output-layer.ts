import type { Value } from '../graph/value.ts';
import { outputEmbeddingName } from './decoder.ts';
import type { DecoderGraph } from './decoder-graph.ts';

/** How hidden states are multiplied with the output embedding. */
export interface OutputLayer {
  /** `[vocabSize, hiddenSize]`, in the element type in which it is multiplied with. */
  readonly embedding: Value;
  /** What of hidden states is multiplied: they themselves, or rounded; float32, of their shape. */
  readonly input: (hidden: Value) => Value;
  /** `input · Eᵀ`, float32 `[tokens, hiddenSize] → [tokens, vocabSize]`: logits that `finishLogits` is yet to scale. */
  readonly products: (input: Value) => Value;
}

/** The output layer in float32. */
export function outputLayer({
  builder,
  config,
  parameters,
}: Pick<DecoderGraph, 'builder' | 'config' | 'parameters'>): OutputLayer {
  const embedding = parameters.stored(outputEmbeddingName(config));
  return {
    embedding,
    input: (hidden) => hidden,
    products: (input) => builder.gemm(input, builder.cast(embedding, 'float32'), { transB: true }),
  };
}
