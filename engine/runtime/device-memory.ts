import { autoDeviceOnce } from './auto-device.ts';
import { runtimeMemory, runtimeSpeed } from './cuda-runtime.ts';
import type { Device } from './device.ts';
import { availableIn, type DeviceFacts, type DeviceMemory, driverMemory } from './device-facts.ts';

/**
 * How much memory a CUDA device has, and has free now: as the CUDA runtime says, where it is in the process or in the
 * library path, or else as `nvidia-smi` does.
 *
 * @returns undefined where nobody tells
 */
export async function deviceMemory(device: Device): Promise<DeviceMemory | undefined> {
  return runtimeMemory(device) ?? driverMemory(device);
}

/** What the CUDA runtime tells, which is brought into the process for it. */
export const FACTS_OF_RUNTIME: DeviceFacts = {
  auto: autoDeviceOnce,
  availableMemory: (device) => availableIn(device, deviceMemory),
  speed: runtimeSpeed,
};
