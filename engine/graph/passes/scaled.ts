import type { Value } from '../value.ts';

/**
 * `alpha · x`, a factor of the product of this name, whose own op knows no alpha; x itself where alpha is 1.
 */
export function scaled(
  x: Value,
  alpha: number,
  name: string,
  insert: (value: Value) => Value,
): Value {
  if (alpha === 1) return x;
  const { dtype, shape } = x;
  const constant: Value<'constant'> = {
    op: 'constant',
    inputs: [],
    attributes: { dtype, shape: [], data: [alpha] },
    name: `${name}:alpha`,
    dtype,
    shape: [],
  };
  const product: Value<'mul'> = {
    op: 'mul',
    inputs: [x, insert(constant)],
    attributes: {},
    name: `${name}:scaled`,
    dtype,
    shape,
  };
  return insert(product);
}
