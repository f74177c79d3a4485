import type { ComputeMode } from '../weights/compute-mode.ts';
import type { Device } from './device.ts';
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
   * Bytes that the memory can give now which a device computes in: that of a CUDA device, or the host's for the CPU;
   * undefined for a CUDA device of which nobody tells, and for WebGPU, which never does.
   */
  readonly availableMemory: (device: Device) => Promise<number | undefined>;
  /** How fast a device is; undefined where nobody tells. */
  readonly speed: (device: Device) => DeviceSpeed | undefined;
}

/** What is known without a library in the process and without a trial: what `nvidia-smi` says of memory. */
export const FACTS_OF_DRIVER: Omit<DeviceFacts, 'auto'> = {
  availableMemory: (device) => availableIn(device, driverMemory),
  speed: () => undefined,
};

/** As {@link DeviceFacts.availableMemory}, by whoever tells of a CUDA device and of no other. */
export async function availableIn(
  device: Device,
  memoryOf: (device: Device) => Promise<DeviceMemory | undefined>,
): Promise<number | undefined> {
  return device.kind === 'cpu' ? process.availableMemory() : (await memoryOf(device))?.free;
}

/** How much memory a CUDA device has, and has free now, as `nvidia-smi` says; undefined where it says nothing. */
export async function driverMemory({ kind, index }: Device): Promise<DeviceMemory | undefined> {
  if (kind !== 'cuda') return undefined;
  const gpu = (await nvidiaGpus())?.find((each) => each.index === index);
  if (gpu === undefined || gpu.freeBytes === null || gpu.memoryBytes === null) return undefined;
  return { free: gpu.freeBytes, total: gpu.memoryBytes };
}
