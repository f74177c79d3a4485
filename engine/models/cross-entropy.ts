import type { Value } from '../graph/value.ts';
import { type DecoderParts, outputEmbeddingName, outputLogits } from './decoder.ts';

/**
 * The weighted sum of the tokens' next-token losses, `Σ weight · −log softmax(h Eᵀ)[target]`.
 *
 * The target's logit is `h · E[target]`, so that its gradient is a gathered row of E and neither a
 * one-hot matrix nor a scatter into the vocabulary is made.
 *
 * @param hidden `[tokens, hiddenSize]`
 * @param targets int64 `[tokens]`, any valid id where the weight is 0
 * @param weights float32 `[tokens]`
 * @returns float32 `[]`
 */
export function crossEntropy(
  parts: Pick<DecoderParts, 'builder' | 'config' | 'parameters'>,
  hidden: Value,
  targets: Value,
  weights: Value,
): Value {
  const { builder, config, parameters } = parts;
  return builder.scope('loss', () => {
    const tokens = hidden.shape[0]!;
    const embeddings = parameters.stored(outputEmbeddingName(config));
    const logSumExp = builder.logSumExp(outputLogits(parts, hidden));
    const targetRows = builder.cast(builder.gather(embeddings, targets), 'float32');
    const targetLogits = builder.reduceSum(builder.mul(hidden, targetRows), [1]);
    const losses = builder.sub(logSumExp, targetLogits);
    const weighted = builder.mul(losses, builder.reshape(weights, [tokens, 1]));
    return builder.reshape(builder.reduceSum(weighted, [0, 1]), []);
  });
}
