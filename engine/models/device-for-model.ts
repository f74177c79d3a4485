import { isFloatDtype } from '../formats/tensor-data.ts';
import {
  BYTES_PER_ELEMENT,
  elementCount,
  type TensorLocation,
} from '../formats/tensor-location.ts';
import { CPU, type Device } from '../runtime/device.ts';
import type { BaseModel } from './base-model.ts';

/** What a device computes a model by. */
type Computed = Pick<BaseModel, 'config' | 'weights'>;

/**
 * The device for a model: what `engine.device: "auto"` took before the model was known, unless that is WebGPU and does
 * not compute it. Then it is the CPU. A device that was asked for by name stays.
 *
 * @param setting `engine.device`
 * @param open the model in the weights that a run has of it, of which headers are enough; only opened where they matter
 * @param onPassedOver told in a sentence why it is the CPU
 * @throws LorafaError as `open` does
 */
export async function deviceForModel<Found extends Device | undefined>(
  setting: string,
  found: Found,
  open: () => Computed | Promise<Computed>,
  onPassedOver: (why: string) => void = () => undefined,
): Promise<Found | Device> {
  if (setting !== 'auto' || found?.kind !== 'webgpu') return found;
  const why = webgpuProblem(await open(), found);
  if (why === undefined) return found;
  onPassedOver(`engine.device "auto" is cpu instead of webgpu, ${why}.`);
  return CPU;
}

/** A clause: why WebGPU does not compute a model; undefined where it does, as far as batches are small enough. */
function webgpuProblem({ config, weights }: Computed, device: Device): string | undefined {
  if (config.layers.some(({ mlp }) => mlp.kind === 'experts')) {
    return 'which does not compute mixtures of experts';
  }
  const { largestBuffer = Infinity } = device;
  const tooLarge = [...weights.tensors.values()].find((tensor) => bytesOf(tensor) > largestBuffer);
  return tooLarge && `which has no buffer that the tensor ${tooLarge.name} fits in`;
}

/** Bytes of a weight there, where floats have four. */
function bytesOf({ dtype, shape }: TensorLocation): number {
  return elementCount(shape) * (isFloatDtype(dtype) ? 4 : BYTES_PER_ELEMENT[dtype]);
}
