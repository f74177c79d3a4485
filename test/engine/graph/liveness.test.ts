import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { ON_CUDA, peakBytes } from '../../../engine/graph/liveness.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import type { Value } from '../../../engine/graph/value.ts';

/** Bytes of a float32 `[256, 256]`. */
const MATRIX = 4 * 256 * 256;

function square(builder: GraphBuilder, name = 'x') {
  return builder.input(name, 'float32', [256, 256]);
}

test('inputs, views and elementwise results over a dying input take no memory of their own', () => {
  const b = new GraphBuilder();
  const product = b.gemm(square(b), square(b, 'y'));
  const view = b.reshape(product, [256 * 256]);
  expect(peakBytes(b.finish({ z: b.exp(b.neg(view)) }))).toBe(MATRIX);
});

test('a value lives until its last reader', () => {
  const b = new GraphBuilder();
  const first = b.gemm(square(b), square(b, 'y'));
  const second = b.gemm(first, first);
  const third = b.gemm(second, second);
  // Three at the last product: `first` is still wanted.
  expect(peakBytes(b.finish({ z: b.gemm(third, first) }))).toBe(3 * MATRIX);
});

test('outputs live to the end', () => {
  const b = new GraphBuilder();
  const x = square(b);
  const a = b.gemm(x, x);
  const c = b.gemm(x, x);
  expect(peakBytes(b.finish({ a, c, d: b.gemm(c, c) }))).toBe(3 * MATRIX);
});

test('segments count as if all were of one size', () => {
  const b = new GraphBuilder();
  const ends = b.input('ends', 'int64', [4]);
  const rows = square(b);
  const segments = [0, 1, 2, 3].map((index) => b.segment(rows, ends, index, `size ${index}`));
  const joined = b.joinSegments(segments.map(b.neg), ends, 256);
  expect(peakBytes(b.finish({ z: joined }))).toBe(2 * MATRIX);
});

test('a larger result cannot be made in place', () => {
  const b = new GraphBuilder();
  const sum = b.reduceSum(b.gemm(square(b), square(b, 'y')), [1]);
  const column = 4 * 256;
  expect(peakBytes(b.finish({ z: b.add(sum, square(b, 'w')) }))).toBe(MATRIX + column);
});

test('on CUDA, free memory is kept for the next value of its shape, and is of no use to others until then', () => {
  const b = new GraphBuilder();
  const x = square(b);
  const row = b.reduceSum(b.gemm(x, x), [0]);
  const tall = b.gemm(b.input('column', 'float32', [1024, 1]), row);
  const sum = b.reduceSum(tall, [0, 1]);
  const scaled = (product: Value): Value => b.mul(b.reduceSum(product, [0, 1]), sum);
  const rowBytes = 4 * 256;
  const withOther = b.finish({ z: scaled(b.gemm(x, x)) });
  expect(peakBytes(withOther)).toBe(rowBytes + 4 * MATRIX);
  expect(peakBytes(withOther, ON_CUDA)).toBe(rowBytes + 5 * MATRIX);
  // As many numbers in another shape are none of its shape.
  const wide = b.gemm(b.input('a', 'float32', [128, 8]), b.input('b', 'float32', [8, 512]));
  const without = removeDeadCode(b.finish({ z: scaled(wide) }));
  expect(peakBytes(without, ON_CUDA)).toBe(rowBytes + 4 * MATRIX);
});
