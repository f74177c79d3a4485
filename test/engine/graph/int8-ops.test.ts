import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import type { DType } from '../../../engine/graph/dtype.ts';
import type { OpName } from '../../../engine/graph/op.ts';
import { evaluateGraph } from './evaluate.ts';

/** Applies an op to inputs of these types. */
function applied(op: OpName, ...types: readonly (readonly [DType, readonly number[]])[]) {
  const builder = new GraphBuilder();
  const inputs = types.map(([dtype, shape], i) => builder.input(`x${i}`, dtype, shape));
  return () => builder.apply(op, inputs, {} as never).shape;
}

test('shapes and types have to fit', () => {
  expect(applied('rowScale', ['float32', [3, 4]])()).toEqual([3, 1]);
  expect(applied('rowScale', ['float32', [3]])).toThrow('needs float32 rows, got float32 [3]');
  expect(applied('quantizeRows', ['float32', [3, 4]], ['float32', [4, 1]])).toThrow(
    '[4, 1] is no float32 scale of each row of [3, 4]',
  );
  expect(applied('matmulInteger', ['int8', [3, 4]], ['int8', [4, 2]])).toThrow(
    'needs uint8 rows, got int8 [3, 4]',
  );
  expect(applied('matmulInteger', ['uint8', [3, 4]], ['int8', [5, 2]])).toThrow(
    '[3, 4] and [5, 2] do not multiply',
  );
  const factors = [
    ['uint8', [3, 4]],
    ['int8', [4, 2]],
  ] as const;
  expect(applied('matmulInteger', ...factors)()).toEqual([3, 2]);
  expect(applied('matmulInteger', ...factors, ['float32', [3]])).toThrow(
    '[3] is no scale of each of 2 columns',
  );
});

test('rows are rounded to 127 steps of their scale, around 128', async () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [3, 4]);
  const scale = builder.apply('rowScale', [x], {});
  const codes = builder.apply('quantizeRows', [x, scale], {});
  const results = await evaluateGraph(builder.finish({ scale, codes }), {
    x: Float32Array.of(254, -254, 3.1, 0, -63.5, 31.8, 0.2, 0.3, 0, 0, 0, 0),
  });
  expect(results['scale']!.slice(0, 2)).toEqual([2, 0.5]);
  expect(results['codes']).toEqual([255, 1, 130, 128, 1, 192, 128, 129, 128, 128, 128, 128]);
});
