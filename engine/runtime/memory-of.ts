import { CudaMemory } from './cuda-memory.ts';
import type { Device } from './device.ts';
import type { TensorMemory } from './tensor-memory.ts';
import { WebgpuMemory } from './webgpu-memory.ts';

/**
 * The memory of a device that has its own (`hasOwnMemory`).
 *
 * @param most as for `CudaMemory.of`
 * @throws LorafaError `device.failed`
 */
export function memoryOf(device: Device, most?: number): TensorMemory | undefined {
  if (device.kind === 'cuda') return CudaMemory.of(device, most);
  if (device.kind === 'webgpu') return WebgpuMemory.open();
  return undefined;
}
