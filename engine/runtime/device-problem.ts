import { type Device, formatDevice } from './device.ts';
import { causeOf } from './runtime-words.ts';

/** What to do about a device that does not work, where nothing better is known. */
const WAY_OUT: { readonly [K in Device['kind']]: string } = {
  cpu: 'ONNX Runtime itself does not run here; install the package again',
  cuda: 'CUDA needs an NVIDIA GPU, a driver of version 580 or later and the libraries of CUDA 13, which `lorafa cuda setup` finds or fetches (README.md, "CUDA")',
  webgpu: 'WebGPU needs a GPU with a Vulkan, Metal or Direct3D 12 driver',
};

/**
 * Why a device cannot be used and what to do about it, in one sentence.
 *
 * @param words what its libraries said
 */
export function deviceProblem(device: Device, words: string): string {
  const cause = causeOf(words);
  const why = cause === undefined ? '' : ` (${cause.means})`;
  return `${formatDevice(device)} cannot be used${why}: ${cause?.wayOut ?? WAY_OUT[device.kind]}.`;
}
