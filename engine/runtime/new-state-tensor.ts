import type { Device } from './device.ts';
import { DeviceTensor } from './device-tensor.ts';
import { HostTensor } from './host-tensor.ts';
import { memoryOf } from './memory-of.ts';
import type { StateTensor } from './state-tensor.ts';

/**
 * A tensor where a device computes with it.
 *
 * @param values numbers to begin with, in an array that may be the tensor's own from now on; zeros unless given
 * @throws LorafaError `device.out_of_memory` when the device has no room for it
 */
export function newStateTensor(
  device: Device,
  shape: readonly number[],
  values?: Float32Array,
): StateTensor {
  const memory = memoryOf(device);
  if (memory === undefined) return new HostTensor(shape, values);
  const tensor = DeviceTensor.in(memory, shape);
  try {
    if (values === undefined) tensor.clear();
    else tensor.write(values);
    return tensor;
  } catch (error) {
    tensor.release();
    throw error;
  }
}
