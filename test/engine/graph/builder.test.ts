import { describe, expect, test } from 'vitest';
import { LorafaError, messageOf } from '../../../engine/errors.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import type { Shape } from '../../../engine/graph/dim.ts';
import type { DType } from '../../../engine/graph/dtype.ts';
import type { Value } from '../../../engine/graph/value.ts';
import { evaluateGraph } from './evaluate.ts';

type Inputs = (shape: Shape, dtype?: DType) => Value;
type Mistake = readonly [
  title: string,
  make: (b: GraphBuilder, x: Inputs) => Value,
  says: string[],
];

const MISTAKES: readonly Mistake[] = [
  [
    'add of shapes that clash',
    (b, x) => b.add(x([2, 3]), x([4])),
    ['add_2([2, 3], [4])', 'axis 1'],
  ],
  ['add of two types', (b, x) => b.add(x([2]), x([2], 'int64')), ['add_2', 'float32, int64']],
  ['symbolic sizes', (b, x) => b.mul(x(['n']), x(['m'])), ['mul_2([n], [m])']],
  [
    'matmul with other inner sizes',
    (b, x) => b.matmul(x([2, 3]), x([4, 5])),
    ['matmul_2([2, 3], [4, 5])', 'inner sizes 3 and 4'],
  ],
  ['matmul of a vector', (b, x) => b.matmul(x([3]), x([3, 2])), ['both need two axes']],
  [
    'gemm with other inner sizes',
    (b, x) => b.gemm(x([2, 3]), x([3, 4]), { transB: true }),
    ['gemm_2([2, 3], [3, 4])', 'inner sizes 3 and 4'],
  ],
  ['gemm of a stack', (b, x) => b.gemm(x([1, 2, 3]), x([3, 4])), ['needs matrices']],
  [
    'gemm with a wrong addend',
    (b, x) => b.gemm(x([2, 3]), x([3, 4]), { c: x([3]) }),
    ['[2, 4] and [3]'],
  ],
  ['reshape to another size', (b, x) => b.reshape(x([2, 3]), [5]), ['reshape_1([2, 3])', '[5]']],
  ['transpose by half', (b, x) => b.transpose(x([2, 3]), [0]), ['[0] is no permutation']],
  ['expand to a smaller one', (b, x) => b.expand(x([2, 3]), [1, 3]), ['does not expand to [1, 3]']],
  ['expand to the same number', (b, x) => b.expand(x([2, 3]), [3, 2]), ['do not broadcast']],
  ['slice outside', (b, x) => b.slice(x([4]), 0, 2, 6), ['2:6 of axis 0 is outside [4]']],
  ['slice of nothing', (b, x) => b.slice(x([4]), 0, 2, 2), ['2:2 of axis 0']],
  ['pad of an axis that is not', (b, x) => b.pad(x([4]), 1, 1, 0), ['axis 1 is outside [4]']],
  [
    'concat of other widths',
    (b, x) => b.concat([x([2, 3]), x([2, 4])], 0),
    ['concat_2([2, 3], [2, 4])', '[2, 4] does not join [2, 3] at axis 0'],
  ],
  ['sum over no axis', (b, x) => b.reduceSum(x([4]), [2]), ['axis 2 is outside [4]']],
  [
    'scatter of other rows',
    (b, x) => b.scatterAdd(x([3], 'int64'), x([2, 4]), 8),
    ['[3] do not number the rows of [2, 4]'],
  ],
  ['a constant with gaps', (b) => b.constant([1, 2, 3], [2, 2]), ['3 numbers do not fill [2, 2]']],
];

describe('a mistake in a graph names the op and the shapes', () => {
  test.each(MISTAKES)('%s', (_, make, says) => {
    const builder = new GraphBuilder();
    let count = 0;
    const x: Inputs = (shape, dtype = 'float32') => builder.input(`x${count++}`, dtype, shape);
    let error: unknown;
    try {
      builder.scope('layers.0', () => make(builder, x));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(LorafaError);
    for (const words of ['layers.0/', ...says]) expect(messageOf(error)).toContain(words);
  });

  test('two inputs of one name are refused', () => {
    const builder = new GraphBuilder();
    builder.input('x', 'float32', [1]);
    expect(() => builder.input('x', 'float32', [1])).toThrow('two leaves named x');
  });
});

describe('names', () => {
  test('are scope path, op and number', () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float32', [2]);
    const inner = b.scope('model', () => b.scope('layers.0', () => b.neg(x)));
    expect(inner.name).toBe('model.layers.0/neg_1');
    expect(b.exp(x).name).toBe('exp_2');
  });

  test('a scope ends also when its content fails', () => {
    const b = new GraphBuilder();
    expect(() =>
      b.scope('bad', () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(b.exp(b.input('x', 'float32', [])).name).toBe('exp_1');
  });
});

describe('what changes nothing makes no value', () => {
  test('reshape, expand, cast, slice, pad and concat', () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float32', [2, 3]);
    expect(b.reshape(x, [2, 3])).toBe(x);
    expect(b.expand(x, [2, 3])).toBe(x);
    expect(b.cast(x, 'float32')).toBe(x);
    expect(b.slice(x, 1, 0, 3)).toBe(x);
    expect(b.pad(x, 0, 0, 0)).toBe(x);
    expect(b.concat([x], 0)).toBe(x);
    expect(b.sumTo(x, [2, 3])).toBe(x);
    expect(b.values).toEqual([x]);
  });

  test('equal scalars are one value', () => {
    const b = new GraphBuilder();
    expect(b.scalar(2)).toBe(b.scalar(2));
    expect(b.scalar(2)).not.toBe(b.scalar(2, 'float64'));
  });
});

test('sumTo sums what was broadcast, wherever the axes stand', async () => {
  const b = new GraphBuilder();
  const x = b.constant([1, 2, 3, 4, 5, 6], [1, 2, 3]);
  const graph = b.finish({
    rows: b.sumTo(x, [2, 1]),
    columns: b.sumTo(x, [3]),
    all: b.sumTo(x, []),
  });
  expect(await evaluateGraph(graph)).toEqual({ rows: [6, 15], columns: [5, 7, 9], all: [21] });
});
