import { formatShape, type Shape } from '../dim.ts';
import type { DType } from '../dtype.ts';
import type { ValueType } from '../value.ts';

/** NumPy broadcasting of two shapes. Throws a `TypeError` that shows both where they clash. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new TypeError(`${formatShape(a)} and ${formatShape(b)} do not broadcast at axis ${axis}`);
  });
}

/** The input's type unchanged. */
export function sameType([x]: readonly ValueType[]): ValueType {
  return { dtype: x!.dtype, shape: x!.shape };
}

/** The element type that all inputs share. */
export function commonDtype(inputs: readonly ValueType[]): DType {
  const dtypes = new Set(inputs.map((input) => input.dtype));
  if (dtypes.size !== 1) throw new TypeError(`element types differ: ${[...dtypes].join(', ')}`);
  return inputs[0]!.dtype;
}

/** Broadcast shape and common element type of two inputs. */
export function broadcastType(inputs: readonly ValueType[]): ValueType {
  return {
    dtype: commonDtype(inputs),
    shape: broadcastShapes(inputs[0]!.shape, inputs[1]!.shape),
  };
}

/** Like {@link broadcastType} with a boolean result. */
export function comparisonType(inputs: readonly ValueType[]): ValueType {
  return { ...broadcastType(inputs), dtype: 'bool' };
}

/** Throws unless `axis` is one of the shape's axes. */
export function requireAxis(shape: Shape, axis: number): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length) {
    throw new TypeError(`axis ${axis} is outside ${formatShape(shape)}`);
  }
}
