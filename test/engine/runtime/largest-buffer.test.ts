import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { requireBuffers } from '../../../engine/runtime/largest-buffer.ts';

const WEBGPU = { kind: 'webgpu', index: 0 } as const;

/** A look-up in a table of `rows · 64` bytes, and a product of what it finds. */
function graph(rows: number, tokens: number) {
  const b = new GraphBuilder();
  const data = { file: 'model.safetensors', offset: 0, length: 64 * rows };
  const table = b.weight('embed_tokens.weight', 'float32', [rows, 16], data);
  const found = b.gather(table, b.input('ids', 'int64', [tokens]));
  return b.finish({ product: b.gemm(found, found, { transB: true }) });
}

test('a tensor that the device has no buffer for is refused by its name and size', () => {
  const device = { ...WEBGPU, largestBuffer: 64 * 1024 };
  expect(() => requireBuffers(graph(1024, 4), device)).not.toThrow();
  expect(() => requireBuffers(graph(1025, 4), device)).toThrow(
    /^The tensor embed_tokens\.weight of the shape \[1025, 16\] takes 64 KiB, and webgpu has no buffer of more than 64 KiB; choose another model, or another engine\.device\.$/,
  );
  expect(() => requireBuffers(graph(4, 200), device)).toThrow(
    /of the shape \[200, 200\] takes 156 KiB, .*; try smaller batches or shorter rows, or another engine\.device\.$/,
  );
});

test('nothing is refused where no limit is known, and sizes that a run brings are not judged', () => {
  expect(() => requireBuffers(graph(2 ** 40, 4), WEBGPU)).not.toThrow();
  expect(() => requireBuffers(graph(2 ** 40, 4), CPU)).not.toThrow();
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', ['rows', 2 ** 20]);
  expect(() =>
    requireBuffers(b.finish({ y: b.neg(x) }), { ...WEBGPU, largestBuffer: 1024 }),
  ).not.toThrow();
});
