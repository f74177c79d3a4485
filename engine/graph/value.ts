import type { Shape } from './dim.ts';
import type { DType } from './dtype.ts';
import type { OpAttributes, OpName } from './op.ts';

/** Element type and shape of a value. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * One node of a graph and, since every op has exactly one output, the value it makes. Immutable:
 * passes make new values.
 */
export interface Value<K extends OpName = OpName> extends ValueType {
  readonly op: K;
  readonly inputs: readonly Value[];
  readonly attributes: OpAttributes[K];
  /** Unique in its graph: scope path, op, number (`layers.0.self_attn.q_proj/gemm_7`). */
  readonly name: string;
}

/** Narrows a value to one op. */
export function isOp<K extends OpName>(value: Value, op: K): value is Value<K> {
  return value.op === op;
}
