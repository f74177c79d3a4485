import type { Value } from '../graph/value.ts';
import { type DecoderParts, outputEmbeddingName } from './decoder.ts';

/** How hidden states become logits. */
export interface OutputLayer {
  /** `[vocabSize, hiddenSize]`, in the element type in which it is multiplied with. */
  readonly embedding: Value;
  /** What of hidden states is multiplied: they themselves, or rounded; float32, of their shape. */
  readonly input: (hidden: Value) => Value;
  /** `input · Eᵀ`: `[tokens, hiddenSize] → [tokens, vocabSize]`, float32. */
  readonly logits: (input: Value) => Value;
}

/** The output layer in float32. */
export function outputLayer({
  builder,
  config,
  parameters,
}: Pick<DecoderParts, 'builder' | 'config' | 'parameters'>): OutputLayer {
  const embedding = parameters.stored(outputEmbeddingName(config));
  return {
    embedding,
    input: (hidden) => hidden,
    logits: (input) => builder.gemm(input, builder.cast(embedding, 'float32'), { transB: true }),
  };
}
