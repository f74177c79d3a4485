import type { DType } from '../graph/dtype.ts';

/** The array type that carries each element type between JavaScript and ONNX Runtime. */
export interface TypedArrays {
  float32: Float32Array;
  float64: Float64Array;
  int64: BigInt64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

/** Element types that JavaScript can feed and fetch; half precision stays inside the graph. */
export type HostDType = keyof TypedArrays;

export type TypedArray = TypedArrays[HostDType];

const CONVERSIONS: { [K in HostDType]: (data: ArrayLike<number>) => TypedArrays[K] } = {
  float32: (data) => Float32Array.from(data),
  float64: (data) => Float64Array.from(data),
  int64: (data) => BigInt64Array.from(Array.from(data, BigInt)),
  int32: (data) => Int32Array.from(data),
  uint8: (data) => Uint8Array.from(data),
  bool: (data) => Uint8Array.from(data),
};

/** Elements with their shape, row-major. */
export interface Tensor {
  readonly data: TypedArray;
  readonly shape: readonly number[];
}

export function isHostDType(dtype: DType): dtype is HostDType {
  return dtype in CONVERSIONS;
}

/** Numbers in the array type that belongs to `dtype`. */
export function typedArray<K extends HostDType>(dtype: K, data: ArrayLike<number>): TypedArrays[K] {
  const make = CONVERSIONS[dtype] as (data: ArrayLike<number>) => TypedArrays[K];
  return make(data);
}

const ARRAYS: { readonly [K in HostDType]: new (length: number) => TypedArrays[K] } = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** An array of zeros in the array type that belongs to `dtype`. */
export function newArray(dtype: HostDType, length: number): TypedArray {
  return new ARRAYS[dtype](length);
}

/** int64 numbers from a plain list. */
export function int64(values: ArrayLike<number>): BigInt64Array {
  return typedArray('int64', values);
}
