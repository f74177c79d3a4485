import { type DType, ONNX_DATA_TYPE } from '../graph/dtype.ts';
import type { Pointer } from './c-api.ts';
import { type Device, formatDevice } from './device.ts';
import { check, create, environment, ort } from './onnx-runtime.ts';

/**
 * A tensor of unknown numbers in memory of an allocator; to be released with `ReleaseValue`.
 *
 * @throws LorafaError `device.out_of_memory` when there is no room for it
 */
export function tensorIn(
  allocator: Pointer,
  device: Device,
  dtype: DType,
  shape: readonly number[],
): Pointer {
  const dims = BigInt64Array.from(shape, BigInt);
  const type = ONNX_DATA_TYPE[dtype];
  return create(
    (out) => ort.CreateTensorAsOrtValue(allocator, dims, dims.length, type, out),
    `${formatDevice(device)} has no room for a tensor of the shape [${shape.join(', ')}]`,
    device,
  );
}

/** Copies a tensor into another one as large; one of them is of the device. Waits until it is done. */
export function copyTensor(device: Device, from: Pointer, to: Pointer): void {
  const [source, target] = [BigUint64Array.of(from), BigUint64Array.of(to)];
  const what = `ONNX Runtime could not copy to or from ${formatDevice(device)}`;
  check(ort.CopyTensors(environment, source, target, null, 1), what);
}
