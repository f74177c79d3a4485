import { CPU, type Device } from '../runtime/device.ts';
import { newStateTensor } from '../runtime/new-state-tensor.ts';
import type { TrainableTensor } from './adamw.ts';

/**
 * Elements of a bucket, so that the parts of an update stay in the cache of a core. A larger tensor
 * has a bucket of its own.
 */
const BUCKET_ELEMENTS = 2 ** 16;

/**
 * Tensors of one shape that are updated as one, `[count, …shape]`: hundreds of small tensors would
 * cost more to hand over than to compute. It is itself a tensor to train.
 */
export interface Bucket extends TrainableTensor {
  readonly tensors: readonly TrainableTensor[];
}

/**
 * Puts tensors into buckets, in order. What is said of a bucket holds for each of its tensors: it has
 * projections for all or none, and all decay or none. With WebGPU, where a tensor begins where its buffer
 * does, each has a bucket of its own.
 */
export function intoBuckets(tensors: readonly TrainableTensor[], device: Device = CPU): Bucket[] {
  const most = device.kind === 'webgpu' ? 0 : BUCKET_ELEMENTS;
  const open = new Map<string, TrainableTensor[]>();
  const filled: TrainableTensor[][] = [];
  for (const tensor of tensors) {
    const { shape, projection, decays = true } = tensor;
    const kind = `${shape.join('x')} ${projection !== undefined} ${decays}`;
    let members = open.get(kind);
    if (members === undefined || (members.length + 1) * elements(tensor) > most) {
      members = [];
      open.set(kind, members);
      filled.push(members);
    }
    members.push(tensor);
  }
  return filled.map((members, i) => {
    const [first] = members as [TrainableTensor, ...TrainableTensor[]];
    const bucket = {
      name: `bucket_${i}`,
      shape: [members.length, ...first.shape],
      tensors: members,
      ...(first.decays !== undefined && { decays: first.decays }),
    };
    return first.projection === undefined ? bucket : { ...bucket, projection: `projection_${i}` };
  });
}

/** One tensor of zeros for all tensors of a bucket where a device keeps it, and each tensor's part of it. */
export function bucketTensor({ shape, tensors }: Bucket, device: Device) {
  const all = newStateTensor(device, shape);
  const size = all.length / tensors.length;
  const parts = tensors.map(
    (tensor, i) => [tensor.name, all.part(i * size, tensor.shape)] as const,
  );
  return { all, parts };
}

function elements({ shape }: TrainableTensor): number {
  return shape.reduce((product, size) => product * size, 1);
}
