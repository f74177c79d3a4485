import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { liveBytes, peakBytes } from '../../../engine/graph/liveness.ts';
import type { Value } from '../../../engine/graph/value.ts';

/** Bytes of a float32 `[256, 256]`. */
const MATRIX = 4 * 256 * 256;

function square(builder: GraphBuilder, name = 'x') {
  return builder.input(name, 'float32', [256, 256]);
}

test('inputs, views and what is made in place take no memory of their own', () => {
  const b = new GraphBuilder();
  const product = b.gemm(square(b), square(b, 'y'));
  const view = b.reshape(product, [256 * 256]);
  expect(peakBytes(b.finish({ z: b.tanh(b.sigmoid(view)) }))).toBe(MATRIX);
});

test('what ONNX Runtime does not make in place has memory beside its input', () => {
  const b = new GraphBuilder();
  const product = b.gemm(square(b), square(b, 'y'));
  expect(peakBytes(b.finish({ z: b.exp(product) }))).toBe(2 * MATRIX);
});

test('memory that nobody reads any more is kept for the next value of its shape', () => {
  const b = new GraphBuilder();
  const first = b.reduceSum(b.gemm(square(b), square(b, 'y')), [1]);
  const wide = b.concat(Array<Value>(512).fill(first), 1);
  const second = b.gemm(b.reduceSum(wide, [1]), b.input('row', 'float32', [1, 256]));
  const graph = b.finish({ z: b.reduceSum(second, [0, 1]) });
  expect(peakBytes(graph) - liveBytes(graph)).toBe(MATRIX);
});

test('but not for values of other shapes, be they of as many bytes', () => {
  const b = new GraphBuilder();
  const first = b.reduceSum(b.gemm(square(b), square(b, 'y')), [0, 1]);
  const flat = b.input('flat', 'float32', [128, 512]);
  const second = b.gemm(b.mul(flat, first), b.input('v', 'float32', [512, 1]));
  const third = b.reduceSum(b.gemm(square(b, 'w'), square(b, 'x2')), [0, 1]);
  const graph = b.finish({ z: b.add(second, third) });
  expect(liveBytes(graph)).toBeLessThan(1.1 * MATRIX);
  expect(peakBytes(graph)).toBeGreaterThanOrEqual(2 * MATRIX);
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
