import type { ComputeMode } from '../weights/compute-mode.ts';
import type { Device } from './device.ts';
import { autoDevice } from './devices.ts';

/** By the modes. */
const tried = new Map<ComputeMode | 'auto', Promise<Device>>();

/** The device that `engine.device: "auto"` takes for a mode, found out once a process, for that takes seconds. */
export function autoDeviceOnce(compute: ComputeMode | 'auto'): Promise<Device> {
  const found = tried.get(compute) ?? autoDevice(compute);
  tried.set(compute, found);
  return found;
}
