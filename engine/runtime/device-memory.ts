import koffi, { type LibraryHandle } from 'koffi';
import { autoDeviceOnce } from './auto-device.ts';
import type { Device } from './device.ts';
import {
  availableIn,
  type DeviceFacts,
  type DeviceMemory,
  type DeviceSpeed,
  driverMemory,
} from './device-facts.ts';

/** The CUDA runtime, of the generation that ONNX Runtime's provider was built for. */
const CUDA_RUNTIME = process.platform === 'win32' ? 'cudart64_13.dll' : 'libcudart.so.13';

/** `cudaDeviceAttr`; rates are in kHz, the width is in bits. */
const ATTRIBUTES = {
  clockRate: 13,
  multiProcessorCount: 16,
  memoryClockRate: 36,
  memoryBusWidth: 37,
  majorVersion: 75,
  minorVersion: 76,
} as const;

/**
 * How much memory a CUDA device has, and has free now: as the CUDA runtime says, where it is in the process or in the
 * library path, or else as `nvidia-smi` does.
 *
 * @returns undefined where nobody tells
 */
export async function deviceMemory(device: Device): Promise<DeviceMemory | undefined> {
  if (device.kind !== 'cuda') return undefined;
  return fromRuntime((runtime) => askMemory(runtime, device.index)) ?? driverMemory(device);
}

/** How fast a CUDA device is by its clocks; undefined where the CUDA runtime is not there to tell. */
function deviceSpeed({ kind, index }: Device): DeviceSpeed | undefined {
  if (kind !== 'cuda') return undefined;
  return fromRuntime((runtime) => askSpeed(runtime, index));
}

/** What the CUDA runtime tells, which is brought into the process for it. */
export const FACTS_OF_RUNTIME: DeviceFacts = {
  auto: autoDeviceOnce,
  availableMemory: (device) => availableIn(device, deviceMemory),
  speed: deviceSpeed,
};

/** A library is closed with the last reference to it, and what it made of a device with it. */
let opened: LibraryHandle | undefined;

function fromRuntime<T>(ask: (runtime: LibraryHandle) => T | undefined): T | undefined {
  try {
    opened ??= koffi.load(CUDA_RUNTIME);
    return ask(opened);
  } catch {
    // It is not there, or somebody's library of that name is no CUDA runtime.
    return undefined;
  }
}

function askMemory(runtime: LibraryHandle, index: number): DeviceMemory | undefined {
  const setDevice = runtime.func('cudaSetDevice', 'int', ['int']);
  const tell = runtime.func('cudaMemGetInfo', 'int', ['void *', 'void *']);
  const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)];
  if (setDevice(index) !== 0 || tell(free, total) !== 0) return undefined;
  return { free: Number(free[0]), total: Number(total[0]) };
}

function askSpeed(runtime: LibraryHandle, index: number): DeviceSpeed | undefined {
  const tell = runtime.func('cudaDeviceGetAttribute', 'int', ['void *', 'int', 'int']);
  const value = new Int32Array(1);
  const of = (name: keyof typeof ATTRIBUTES): number =>
    tell(value, ATTRIBUTES[name], index) === 0 ? value[0]! : 0;
  const isWide = of('majorVersion') > 8 || (of('majorVersion') === 8 && of('minorVersion') > 0);
  // Multiply-adds of a multiprocessor in a cycle; memory has data on both edges of its clock.
  const flops = 2 * (isWide ? 128 : 64) * of('multiProcessorCount') * of('clockRate') * 1e3;
  const bytesPerSecond = (2 * of('memoryClockRate') * 1e3 * of('memoryBusWidth')) / 8;
  return flops > 0 && bytesPerSecond > 0 ? { flops, bytesPerSecond } : undefined;
}
