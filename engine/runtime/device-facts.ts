import { execFileSync } from 'node:child_process';
import type { Device } from './device.ts';

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
  /** Bytes that the memory can give now which a device computes in: its own, or the host's. */
  readonly availableMemory: (device: Device) => number;
  /** How fast a device is; undefined where nobody tells. */
  readonly speed: (device: Device) => DeviceSpeed | undefined;
}

/** Milliseconds; the program answers in some ten of them. */
const SMI_TIMEOUT = 5_000;

/** What is known without a library in the process: what `nvidia-smi` says of memory. */
export const FACTS_OF_DRIVER: DeviceFacts = {
  availableMemory: (device) => driverMemory(device)?.free ?? process.availableMemory(),
  speed: () => undefined,
};

/** How much memory a CUDA device has, and has free now, as `nvidia-smi` says; undefined where it says nothing. */
export function driverMemory({ kind, index }: Device): DeviceMemory | undefined {
  if (kind !== 'cuda') return undefined;
  const query = ['--query-gpu=memory.free,memory.total', '--format=csv,noheader,nounits'];
  try {
    const line = execFileSync('nvidia-smi', [`--id=${index}`, ...query], {
      encoding: 'utf8',
      timeout: SMI_TIMEOUT,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [free, total] = line.split(',').map((mebibytes) => Number(mebibytes) * 2 ** 20);
    if (!Number.isFinite(free) || !Number.isFinite(total)) return undefined;
    return { free: free!, total: total! };
  } catch {
    return undefined;
  }
}
