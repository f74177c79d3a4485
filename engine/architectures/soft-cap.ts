import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';

/** `cap · tanh(x / cap)` (Gemma 2, arXiv 2408.00118); x where there is no cap. */
export function softCap(builder: GraphBuilder, x: Value, cap: number | null): Value {
  if (cap === null) return x;
  return builder.mul(builder.tanh(builder.mul(x, builder.scalar(1 / cap))), builder.scalar(cap));
}
