import koffi, { type LibraryHandle } from 'koffi';
import type { Device } from './device.ts';
import type { DeviceMemory, DeviceSpeed } from './device-facts.ts';

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
 * How much memory a CUDA device has, and has free now; undefined where the CUDA runtime is neither in the process nor in
 * the library path.
 */
export function runtimeMemory({ kind, index }: Device): DeviceMemory | undefined {
  if (kind !== 'cuda') return undefined;
  return fromRuntime((runtime) => askMemory(runtime, index));
}

/** How fast a CUDA device is by its clocks; undefined where the CUDA runtime is not there to tell. */
export function runtimeSpeed({ kind, index }: Device): DeviceSpeed | undefined {
  if (kind !== 'cuda') return undefined;
  return fromRuntime((runtime) => askSpeed(runtime, index));
}

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
