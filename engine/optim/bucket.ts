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

/** Puts tensors into buckets, in order; each bucket has projections for all of its tensors or none. */
export function intoBuckets(tensors: readonly TrainableTensor[]): Bucket[] {
  const open = new Map<string, TrainableTensor[]>();
  const filled: TrainableTensor[][] = [];
  for (const tensor of tensors) {
    const kind = `${tensor.shape.join('x')} ${tensor.projection !== undefined}`;
    let members = open.get(kind);
    if (members === undefined || (members.length + 1) * elements(tensor) > BUCKET_ELEMENTS) {
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
    };
    return first.projection === undefined ? bucket : { ...bucket, projection: `projection_${i}` };
  });
}

/** One array for all tensors of a bucket, and each tensor's part of it as a view. */
export function bucketArray({ shape, tensors }: Bucket) {
  const all = new Float32Array(shape.reduce((product, size) => product * size, 1));
  const size = all.length / tensors.length;
  const views = tensors.map(
    ({ name }, i) => [name, all.subarray(i * size, (i + 1) * size)] as const,
  );
  return { all, views };
}

function elements({ shape }: TrainableTensor): number {
  return shape.reduce((product, size) => product * size, 1);
}
