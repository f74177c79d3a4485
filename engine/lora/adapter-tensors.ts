import type { Device } from '../runtime/device.ts';
import { newStateTensor } from '../runtime/new-state-tensor.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import { type Adapter, adapterTensors } from './adapter.ts';

/**
 * An adapter's tensors where a device computes with them; on the CPU, the adapter's own arrays.
 *
 * @throws LorafaError `device.failed` when the device has no room for them
 */
export function stateOfAdapter(
  { modules, weights }: Pick<Adapter, 'modules' | 'weights'>,
  deviceOf: (name: string) => Device,
): Map<string, StateTensor> {
  return new Map(
    modules
      .flatMap(adapterTensors)
      .map(({ name, shape }) => [name, newStateTensor(deviceOf(name), shape, weights.get(name)!)]),
  );
}
