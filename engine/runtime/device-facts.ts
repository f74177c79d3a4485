import type { ComputeMode } from '../weights/compute-mode.ts';
import type { Device } from './device.ts';
import { autoDevice } from './devices.ts';
import { nvidiaGpus } from './nvidia-smi.ts';

/** The memory of a device, in bytes. */
export interface DeviceMemory {
  readonly free: number;
  readonly total: number;
}

/** What a device does in a second at its best. */
export interface DeviceSpeed {
  /** Floating-point operations in float32, outside of tensor cores. */
  readonly flops: number;
  /** From and to its memory. */
  readonly bytesPerSecond: number;
}

/** What is known of devices where runs are planned. */
export interface DeviceFacts {
  /** The device that `engine.device: "auto"` takes for a mode of `engine.compute`. */
  readonly auto: (compute: ComputeMode | 'auto') => Promise<Device>;
  /**
   * Bytes that the memory can give now which a device computes in: that of a CUDA device, or the host's; undefined
   * for a CUDA device of which nobody tells.
   */
  readonly availableMemory: (device: Device) => Promise<number | undefined>;
  /** How fast a device is; undefined where nobody tells. */
  readonly speed: (device: Device) => DeviceSpeed | undefined;
}

/** What is known without a library in the process: what `nvidia-smi` says of memory. */
export const FACTS_OF_DRIVER: DeviceFacts = {
  auto: autoDeviceOnce,
  availableMemory: (device) => availableIn(device, driverMemory),
  speed: () => undefined,
};

/** By the modes. */
const tried = new Map<ComputeMode | 'auto', Promise<Device>>();

/** As {@link DeviceFacts.auto}: devices are tried out once a process, for that takes seconds. */
export function autoDeviceOnce(compute: ComputeMode | 'auto'): Promise<Device> {
  const found = tried.get(compute) ?? autoDevice(compute);
  tried.set(compute, found);
  return found;
}

/** As {@link DeviceFacts.availableMemory}, by whoever tells of a CUDA device. */
export async function availableIn(
  device: Device,
  memoryOf: (device: Device) => Promise<DeviceMemory | undefined>,
): Promise<number | undefined> {
  return device.kind === 'cuda' ? (await memoryOf(device))?.free : process.availableMemory();
}

/** How much memory a CUDA device has, and has free now, as `nvidia-smi` says; undefined where it says nothing. */
export async function driverMemory({ kind, index }: Device): Promise<DeviceMemory | undefined> {
  if (kind !== 'cuda') return undefined;
  const gpu = (await nvidiaGpus())?.find((each) => each.index === index);
  if (gpu === undefined || gpu.freeBytes === null || gpu.memoryBytes === null) return undefined;
  return { free: gpu.freeBytes, total: gpu.memoryBytes };
}
