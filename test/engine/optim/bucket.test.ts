import { expect, test } from 'vitest';
import type { TrainableTensor } from '../../../engine/optim/adamw.ts';
import { bucketTensor, intoBuckets } from '../../../engine/optim/bucket.ts';
import { CPU } from '../../../engine/runtime/device.ts';

const tensors: TrainableTensor[] = Array.from({ length: 60 }, (_, i) => ({
  name: `t${i}`,
  shape: [[576, 16], [192, 16], [100_000]][i % 3]!,
  ...(i % 3 < 2 && i < 40 && { projection: `p${i}` }),
}));

test('each tensor is in one bucket, with others of its shape and its kind', () => {
  const buckets = intoBuckets(tensors);
  const members = buckets.flatMap((bucket) => bucket.tensors);
  expect(members).toHaveLength(tensors.length);
  expect(new Set(members)).toEqual(new Set(tensors));
  for (const bucket of buckets) {
    expect(bucket.shape[0]).toBe(bucket.tensors.length);
    for (const tensor of bucket.tensors) {
      expect(tensor.shape).toEqual(bucket.shape.slice(1));
      expect(tensor.projection === undefined).toBe(bucket.projection === undefined);
    }
  }
});

test('a bucket is small, or holds one tensor that is not', () => {
  const buckets = intoBuckets(tensors);
  expect(buckets.length).toBeLessThan(tensors.length);
  for (const { shape, tensors: members } of buckets) {
    const elements = shape.reduce((product, size) => product * size, 1);
    if (members.length > 1) expect(elements).toBeLessThanOrEqual(65_536);
  }
});

test('the parts of a bucket fill its tensor one after the other', () => {
  const [bucket] = intoBuckets([
    { name: 'a', shape: [2, 2] },
    { name: 'b', shape: [2, 2] },
  ]);
  const { all, parts } = bucketTensor(bucket!, CPU);
  for (const [name, part] of parts) part.write(new Float32Array(4).fill(name === 'a' ? 1 : 2));
  expect([...all.read()]).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
});
