import type { GraphBuilder } from '../graph/builder.ts';
import type { AttentionSizes } from '../graph/ops/attention.ts';
import type { Value } from '../graph/value.ts';
import { type BatchShape, exampleBeginnings } from './causal-attention.ts';
import type { Attention } from './decoder-graph.ts';

/**
 * Causal self-attention over whole rows as one op that keeps nothing for its gradients
 * (`engine/graph/ops/attention.ts`): the same as `causalAttention` computes, but for what rounding its
 * factors does.
 *
 * @param other computes what the op does not: scores that a soft cap bends
 * @param positions int64 `[rows · length]`, from 0 in each example, where a row may hold several
 */
export function fusedAttention(
  builder: GraphBuilder,
  products: AttentionSizes['products'],
  shape: BatchShape,
  other: Attention,
  positions?: Value,
): Attention {
  const tokens = shape.rows * shape.length;
  const beginnings =
    positions && builder.reshape(exampleBeginnings(builder, shape, positions), [tokens]);
  return (inputs) => {
    const { part } = inputs;
    if (part.softCap !== null) return other(inputs);
    const { numHeads, numKeyValueHeads, headDim, slidingWindow: window } = part;
    const sizes = { ...shape, numHeads, numKeyValueHeads, headDim, window, products };
    const parts = [inputs.query, inputs.key, inputs.value] as const;
    const given = [numHeads, numKeyValueHeads, numKeyValueHeads].map((heads, i) =>
      builder.reshape(parts[i]!, [tokens, heads * headDim]),
    );
    const ends = beginnings === undefined ? [] : [beginnings];
    const attended = builder.apply('causalAttention', [...given, ...ends], sizes);
    // The three gradients are made at once.
    const made = new Map<Value, Value>();
    const gradients = (cotangent: Value, current: (value: Value) => Value): Value => {
      const all =
        made.get(cotangent) ??
        builder.apply(
          'causalAttentionGradients',
          [...given.map(current), cotangent, ...ends],
          sizes,
        );
      made.set(cotangent, all);
      return all;
    };
    const widths = given.map(({ shape: [, width] }) => tokens * Number(width));
    return builder.withGradients(
      attended,
      given.map((input, i) => ({
        input,
        pullback: (cotangent, current) => {
          const start = widths.slice(0, i).reduce((a, b) => a + b, 0);
          const part = builder.slice(gradients(cotangent, current), 0, start, start + widths[i]!);
          return builder.reshape(part, input.shape);
        },
      })),
    );
  };
}
