import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { withWebgpuOps } from '../../../engine/graph/passes/webgpu-ops.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { relativeError } from '../../support/golden.ts';

const [ROWS, COLUMNS] = [6, 8];

test('what WebGPU has no exact kernels for is computed by other ops alike', async () => {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [ROWS, COLUMNS]);
  const y = b.input('y', 'float32', [ROWS, COLUMNS]);
  const rows = b.constant([0, 2, 2, 1, 0, 2], [ROWS], 'int64');
  const graph = b.finish({
    logSumExp: b.logSumExp(x),
    scatterAdd: b.scatterAdd(rows, x, 4),
    left: b.apply('transposedMatmul', [x, y], { transA: true, transB: false }),
    right: b.apply('transposedMatmul', [x, y], { transA: false, transB: true }),
  });
  const rewritten = withWebgpuOps(graph);
  const ops = new Set(rewritten.values.map(({ op }) => op));
  for (const op of ['logSumExp', 'scatterAdd', 'transposedMatmul'] as const) {
    expect(ops).not.toContain(op);
  }
  const numbers = (of: (i: number) => number) =>
    Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => of(i));
  const feeds = { x: numbers((i) => 30 * Math.sin(i)), y: numbers(Math.cos) };
  const [expected, actual] = await Promise.all(
    [graph, rewritten].map(async (each) => {
      const session = await Session.create(each, { threads: 1 });
      const results = await session.run(feeds);
      await session.release();
      return results;
    }),
  );
  for (const [name, { data, shape }] of Object.entries(expected!)) {
    expect(actual![name]!.shape).toEqual(shape);
    expect(relativeError(actual![name]!.data as Float32Array, data as Float32Array)).toBeLessThan(
      1e-6,
    );
  }
});

test('weights of 16 bits are taken as float32, and nothing upcasts them', () => {
  const b = new GraphBuilder();
  const data = { file: 'model.safetensors', offset: 0, length: 12 };
  const weight = b.weight('w', 'bfloat16', [2, 3], data);
  const x = b.input('x', 'float32', [4, 3]);
  const indices = b.input('i', 'int64', [4]);
  const rewritten = withWebgpuOps(
    b.finish({
      product: b.gemm(x, b.cast(weight, 'float32'), { transB: true }),
      rows: b.cast(b.gather(weight, indices), 'float32'),
    }),
  );
  expect(rewritten.values.filter(({ op }) => op === 'cast')).toEqual([]);
  expect(rewritten.values.every(({ dtype }) => dtype === 'float32' || dtype === 'int64')).toBe(
    true,
  );
  const [{ attributes }] = rewritten.values.filter(({ op }) => op === 'weight') as [typeof weight];
  expect(attributes).toEqual({ dtype: 'bfloat16', shape: [2, 3], data });
});

test('sines and cosines are exact at the angles of long texts', async () => {
  const b = new GraphBuilder();
  const count = 4096;
  const angle = b.input('angle', 'float32', [count]);
  const graph = withWebgpuOps(b.finish({ sin: b.sin(angle), cos: b.cos(angle) }));
  const session = await Session.create(graph, { threads: 1 });
  for (const largest of [3, 1000, 130_000]) {
    const angles = Float32Array.from(
      { length: count },
      (_, i) => ((i % 2 === 0 ? 1 : -1) * largest * i) / count,
    );
    const results = await session.run({ angle: angles });
    for (const [name, of] of [
      ['sin', Math.sin],
      ['cos', Math.cos],
    ] as const) {
      const error = relativeError(
        results[name]!.data as Float32Array,
        Float32Array.from(angles, of),
      );
      expect(error, `${name} up to ${largest}`).toBeLessThan(4e-6);
    }
  }
  await session.release();
});
