import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import { addToInputs } from '../../../engine/graph/passes/add-to-inputs.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import { fuseGemmAdd } from '../../../engine/graph/passes/fuse-gemm-add.ts';
import { fuseTransposedMatmul } from '../../../engine/graph/passes/fuse-transposed-matmul.ts';
import { scaleRowsLast } from '../../../engine/graph/passes/scale-rows-last.ts';
import { upcastPerUse } from '../../../engine/graph/passes/upcast-per-use.ts';
import { HostTensor } from '../../../engine/runtime/host-tensor.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { evaluateGraph } from './evaluate.ts';

const ops = (graph: Graph): string[] => graph.values.map(({ op }) => op);
const count = (graph: Graph, op: string): number => ops(graph).filter((each) => each === op).length;

const DATA = { file: 'w.safetensors', offset: 0, length: 8 };

describe('dead code', () => {
  test('goes with all that only it needs; the rest keeps its order', () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float32', [1]);
    const unused = b.input('unused', 'float32', [1]);
    const y = b.neg(x);
    b.exp(b.add(unused, y));
    const z = b.sqrt(y);
    const graph = removeDeadCode(b.finish({ z }));
    expect(graph.values).toEqual([x, y, z]);
  });
});

describe('gemm and add', () => {
  const a = Float32Array.of(1, 2, 3, 4, 5, 6);
  const w = Float32Array.of(1, -1, 2, 0, 3, 1);

  function inputs(b: GraphBuilder) {
    return [b.input('a', 'float32', [2, 3]), b.input('w', 'float32', [3, 2])] as const;
  }

  async function expectFused(graph: Graph, feeds = { a, w }): Promise<void> {
    const fused = removeDeadCode(fuseGemmAdd(graph));
    expect(count(fused, 'add')).toBe(count(graph, 'add') - 1);
    expect(count(fused, 'gemm')).toBe(count(graph, 'gemm'));
    expect(await evaluateGraph(fused, feeds)).toEqual(await evaluateGraph(graph, feeds));
  }

  test.each([
    ['a row', [10, 20], [2]],
    ['a column', [10, 20], [2, 1]],
    ['a matrix', [10, 20, 30, 40], [2, 2]],
    ['a scalar', [10], []],
  ])('become one op with %s, on either side', async (_, data, shape) => {
    for (const swapped of [false, true]) {
      const b = new GraphBuilder();
      const product = b.gemm(...inputs(b), { alpha: 0.5 });
      const c = b.constant(data, shape);
      await expectFused(b.finish({ y: swapped ? b.add(c, product) : b.add(product, c) }));
    }
  });

  test('of two products become one op with the other as its addend', async () => {
    const b = new GraphBuilder();
    const [x, y] = inputs(b);
    await expectFused(b.finish({ y: b.add(b.gemm(x, y), b.gemm(x, y, { alpha: 2 })) }));
  });

  test.each<[string, (b: GraphBuilder) => Graph]>([
    [
      'whose product is read elsewhere',
      (b) => {
        const product = b.gemm(...inputs(b));
        return b.finish({ y: b.add(product, b.scalar(1)), z: b.neg(product) });
      },
    ],
    [
      'whose product is an output',
      (b) => {
        const product = b.gemm(...inputs(b));
        return b.finish({ y: b.add(product, b.scalar(1)), product });
      },
    ],
    [
      'that add a product to itself',
      (b) => {
        const product = b.gemm(...inputs(b));
        return b.finish({ y: b.add(product, product) });
      },
    ],
    [
      'whose product has an addend already',
      (b) => b.finish({ y: b.add(b.gemm(...inputs(b), { c: b.constant([1], [1]) }), b.scalar(1)) }),
    ],
    [
      'that broadcast the product',
      (b) => b.finish({ y: b.add(b.gemm(...inputs(b)), b.constant(Array(12).fill(1), [3, 2, 2])) }),
    ],
  ])('%s stay as they are', (_, make) => {
    const graph = make(new GraphBuilder());
    expect(ops(removeDeadCode(fuseGemmAdd(graph)))).toEqual(ops(removeDeadCode(graph)));
  });
});

describe('upcasts of stored weights', () => {
  const twoWeights = (b: GraphBuilder) => ({
    x: b.input('x', 'float32', [1, 2]),
    first: b.cast(b.weight('first', 'bfloat16', [2, 2], DATA), 'float32'),
    second: b.cast(b.weight('second', 'bfloat16', [2, 2], DATA), 'float32'),
  });

  test('come just before their readers, again after those of other weights', () => {
    const b = new GraphBuilder();
    const { x, first, second } = twoWeights(b);
    const y = b.gemm(b.gemm(b.neg(b.gemm(x, first)), second), first, { transB: true });
    const graph = removeDeadCode(upcastPerUse(b.finish({ y })));
    expect(ops(graph).join(' ')).toBe('input weight weight cast gemm neg cast gemm cast gemm');
    const names = graph.values.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('are shared by readers between which no other weight is upcast', () => {
    const b = new GraphBuilder();
    const { x, first, second } = twoWeights(b);
    const y = b.gemm(b.gemm(b.neg(b.gemm(x, first)), first, { transB: true }), second);
    const graph = removeDeadCode(upcastPerUse(b.finish({ y })));
    expect(ops(graph).join(' ')).toBe('input weight weight cast gemm neg gemm cast gemm');
  });

  test('of other values stay shared', () => {
    const b = new GraphBuilder();
    const half = b.cast(b.input('x', 'float32', [2]), 'float16');
    const upcast = b.cast(half, 'float32');
    const graph = b.finish({ y: b.add(b.neg(upcast), b.exp(upcast)) });
    expect(ops(upcastPerUse(graph))).toEqual(ops(graph));
  });
});

describe('scales of rows', () => {
  const feeds = {
    x: Float32Array.of(1, 2, 3, 4, 5, 6),
    column: Float32Array.of(0.5, -2),
    w: Float32Array.of(1, -1, 2, 0, 3, 1),
  };

  function scaled(b: GraphBuilder) {
    const x = b.input('x', 'float32', [2, 3]);
    return b.mul(b.input('column', 'float32', [2, 1]), x);
  }

  const width = (graph: Graph): unknown => graph.values.find(({ op }) => op === 'mul')?.shape[1];

  test('move behind a product, which is narrower', async () => {
    const b = new GraphBuilder();
    const graph = b.finish({ y: b.gemm(scaled(b), b.input('w', 'float32', [3, 2])) });
    const moved = removeDeadCode(scaleRowsLast(graph));
    expect([width(graph), width(moved)]).toEqual([3, 2]);
    expect(await evaluateGraph(moved, feeds)).toEqual(await evaluateGraph(graph, feeds));
  });

  test.each([
    ['that something else reads', false],
    ['of a transposed operand, where they scale the sum', true],
  ])('%s stay', (_, transA) => {
    const b = new GraphBuilder();
    const rows = scaled(b);
    const w = b.input('w', 'float32', transA ? [2, 2] : [3, 2]);
    const outputs = { y: b.gemm(rows, w, { transA }), ...(transA ? {} : { z: b.neg(rows) }) };
    const graph = b.finish(outputs);
    expect(ops(scaleRowsLast(graph))).toEqual(ops(graph));
  });
});

describe('transposed operands of a product', () => {
  const a = Float32Array.from({ length: 12 }, (_, i) => i - 3);
  const c = Float32Array.from({ length: 12 }, (_, i) => 5 - i);

  test.each([
    ['first', [2, 3, 2], [2, 3, 2], true, false],
    ['second', [2, 2, 3], [2, 2, 3], false, true],
    ['both', [2, 3, 2], [2, 2, 3], true, true],
  ] as const)('are read where they lie: %s', async (_, left, right, transA, transB) => {
    const b = new GraphBuilder();
    const x = b.input('a', 'float32', left);
    const y = b.input('c', 'float32', right);
    const product = b.matmul(transA ? b.matrixTranspose(x) : x, transB ? b.matrixTranspose(y) : y);
    const graph = b.finish({ product });
    const fused = removeDeadCode(fuseTransposedMatmul(graph));
    expect(ops(fused)).toEqual(['input', 'input', 'transposedMatmul']);
    expect(await evaluateGraph(fused, { a, c })).toEqual(await evaluateGraph(graph, { a, c }));
  });

  test('stay copies where other axes move, or in float64', () => {
    const b = new GraphBuilder();
    const moved = b.matmul(
      b.transpose(b.input('x', 'float32', [2, 3, 4]), [2, 0, 1]),
      b.input('y', 'float32', [3, 2]),
    );
    const wide = b.input('z', 'float64', [2, 3]);
    const graph = b.finish({ moved, square: b.matmul(b.matrixTranspose(wide), wide) });
    expect(ops(fuseTransposedMatmul(graph))).toEqual(ops(graph));
  });
});

describe('outputs that are added to inputs', () => {
  test('are summed right after what they add, and can be written over the inputs', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float32', [2]);
    const y = b.neg(x);
    const z = b.exp(x);
    const graph = addToInputs(b.finish({ y, z }), new Map([['y', 'sum']]));
    expect(ops(graph)).toEqual(['input', 'neg', 'input', 'add', 'exp']);
    const session = await Session.create(graph, { threads: 1 });
    const sum = new HostTensor([2], Float32Array.of(10, 20));
    const numbers = Float32Array.of(1, 2);
    for (let run = 0; run < 2; run++) await session.run({ x: numbers, sum }, { y: sum });
    expect([...sum.read()]).toEqual([8, 16]);
    await session.release();
  });

  test('of one value are two sums', async () => {
    const b = new GraphBuilder();
    const y = b.neg(b.input('x', 'float32', [1]));
    const names = new Map([
      ['y', 'first'],
      ['z', 'second'],
    ]);
    const graph = addToInputs(b.finish({ y, z: y }), names);
    const [x, first, second] = [1, 10, 20].map((number) => Float32Array.of(number));
    expect(await evaluateGraph(graph, { x, first, second } as never)).toEqual({ y: [9], z: [19] });
  });
});
