import type { Device } from '../runtime/device.ts';
import { newStateTensor } from '../runtime/new-state-tensor.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import { type Adapter, adapterTensors } from './adapter.ts';

/**
 * An adapter's tensors where a device computes with them; on the CPU, the adapter's own arrays.
 *
 * @throws LorafaError `device.out_of_memory` when the device has no room for them
 */
export function stateOfAdapter(
  { modules, weights }: Pick<Adapter, 'modules' | 'weights'>,
  deviceOf: (name: string) => Device,
): Map<string, StateTensor> {
  const made = new Map<string, StateTensor>();
  try {
    for (const { name, shape } of modules.flatMap(adapterTensors)) {
      made.set(name, newStateTensor(deviceOf(name), shape, weights.get(name)!));
    }
    return made;
  } catch (error) {
    for (const tensor of made.values()) tensor.release();
    throw error;
  }
}
