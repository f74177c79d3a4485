import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { NormPart } from './decoder-config.ts';
import type { Parameters } from './parameters.ts';

/**
 * A norm over the last axis of `x`. LayerNorm is the RMSNorm of what is centred, so that both are
 * computed, and derived, by one op.
 */
export function applyNorm(
  builder: GraphBuilder,
  parameters: Parameters,
  norm: NormPart,
  x: Value,
): Value {
  const stored = (kind: 'weight' | 'bias'): Value =>
    builder.cast(parameters.stored(`${norm.name}.${kind}`), 'float32');
  const weight =
    norm.offset === 0
      ? stored('weight')
      : builder.add(stored('weight'), builder.scalar(norm.offset));
  const centred =
    norm.kind === 'rms' ? x : builder.sub(x, builder.reduceMean(x, [x.shape.length - 1]));
  const normed = builder.rmsNorm(centred, weight, norm.epsilon);
  return norm.bias ? builder.add(normed, stored('bias')) : normed;
}
