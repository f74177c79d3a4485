import type { Value } from '../graph/value.ts';

/** The tensors of a base model as values of one graph. */
export interface Parameters {
  /** The tensor in the element type that it is stored in; the same value for the same name. */
  stored(name: string): Value;
  /** Whether there is a tensor of this name. */
  has(name: string): boolean;
}
