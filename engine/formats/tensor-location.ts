/** Element types of tensors on disk, under the names that safetensors gives them. */
export type TensorDtype =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U8'
  | 'BOOL';

/** Size of one element in bytes. */
export const BYTES_PER_ELEMENT: Readonly<Record<TensorDtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/**
 * Where the bytes of one tensor lie: row-major, little-endian, without gaps. This is what an ONNX
 * initializer with external data needs, whichever container (safetensors, GGUF) the file is.
 */
export interface TensorLocation {
  /** Name of the tensor; Hugging Face's name when it comes from a weight store. */
  readonly name: string;
  readonly dtype: TensorDtype;
  /** Outermost dimension first; empty for a scalar. */
  readonly shape: readonly number[];
  /** Path of the file with symbolic links resolved. */
  readonly file: string;
  /** First byte, counted from the start of the file. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A shape as people write it: `[4, 8]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
