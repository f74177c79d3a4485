import { type DType, ONNX_DATA_TYPE } from '../graph/dtype.ts';
import type { Memory, Pointer } from './c-api.ts';
import { create, ort } from './onnx-runtime.ts';

/**
 * A tensor over memory that somebody else owns and keeps for as long; to be released with
 * `ReleaseValue`.
 *
 * @param info what memory it is (`OrtMemoryInfo`)
 */
export function tensorAt(
  info: Pointer,
  memory: Memory,
  bytes: number,
  dtype: DType,
  shape: readonly number[],
): Pointer {
  const dims = BigInt64Array.from(shape, BigInt);
  const type = ONNX_DATA_TYPE[dtype];
  return create((out) =>
    ort.CreateTensorWithDataAsOrtValue(info, memory, bytes, dims, dims.length, type, out),
  );
}
