import { WebgpuMemory } from './webgpu-memory.ts';

/**
 * Asks the WebGPU device for a buffer that no device has. ONNX Runtime tells no limits of a device, but what Dawn says
 * of such a buffer is written to stderr, where `bufferLimitIn` reads it.
 */
export function provokeBufferLimit(): void {
  // The first buffer that is asked for is not held against the limit, as was seen.
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      WebgpuMemory.open().allocate('uint8', [2 ** 50]);
    } catch {
      // There is none.
    }
  }
}
