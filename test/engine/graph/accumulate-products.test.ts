import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import { accumulateProducts } from '../../../engine/graph/passes/accumulate-products.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import type { Value } from '../../../engine/graph/value.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { relativeError } from '../../support/golden.ts';
import { evaluateGraph } from './evaluate.ts';

const [ROWS, INNER, COLUMNS] = [5, 3, 4];

const numbers = (count: number, step: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * step));

const FEEDS = {
  a: numbers(ROWS * INNER, 0.7),
  b: numbers(INNER * COLUMNS, 0.3),
  sum: numbers(ROWS * COLUMNS, 1.1),
};

/** A graph over `[ROWS, INNER]`, `[INNER, COLUMNS]` and `[ROWS, COLUMNS]`. */
function graphOf(
  build: (b: GraphBuilder, inputs: Record<keyof typeof FEEDS, Value>) => Record<string, Value>,
): Graph {
  const b = new GraphBuilder();
  return b.finish(
    build(b, {
      a: b.input('a', 'float32', [ROWS, INNER]),
      b: b.input('b', 'float32', [INNER, COLUMNS]),
      sum: b.input('sum', 'float32', [ROWS, COLUMNS]),
    }),
  );
}

const accumulated = (graph: Graph): Graph => removeDeadCode(accumulateProducts(graph));
const ops = (graph: Graph): string[] =>
  graph.values.map(({ op }) => op).filter((op) => op !== 'input');

describe('products are added where the sum lies', () => {
  test.each<[string, Parameters<typeof graphOf>[0], string[]]>([
    [
      'a product and a sum',
      (g, { a, b, sum }) => ({ y: g.add(g.neg(sum), g.gemm(a, b)) }),
      ['neg', 'addMatmul'],
    ],
    [
      'a sum and a product, scaled',
      (g, { a, b, sum }) => ({ y: g.add(g.gemm(a, b, { alpha: -0.5 }), g.neg(sum)) }),
      ['neg', 'constant', 'mul', 'addMatmul'],
    ],
    [
      'the addend of a product',
      (g, { a, b, sum }) => ({ y: g.gemm(a, b, { c: g.neg(sum) }) }),
      ['neg', 'addMatmul'],
    ],
    [
      'transposed factors',
      (g, { a, b, sum }) => ({
        y: g.add(
          g.neg(sum),
          g.gemm(g.transpose(a, [1, 0]), g.transpose(b, [1, 0]), { transA: true, transB: true }),
        ),
      }),
      ['neg', 'transpose', 'transpose', 'addMatmul'],
    ],
    [
      'two products, of which one is made first',
      (g, { a, b }) => ({ y: g.add(g.gemm(a, b), g.gemm(a, b, { alpha: 2 })) }),
      ['gemm', 'constant', 'mul', 'addMatmul'],
    ],
  ])('%s', async (_, build, expected) => {
    const graph = graphOf(build);
    const fused = accumulated(graph);
    expect(ops(fused)).toEqual(expected);
    if (!hasBfloat16) return;
    const [actual, exact] = [await evaluateGraph(fused, FEEDS), await evaluateGraph(graph, FEEDS)];
    expect(relativeError(actual['y']!, exact['y']!)).toBeLessThan(1e-6);
  });

  test('not where something else reads the product, nor where the addend is spread', () => {
    const read = graphOf((g, { a, b, sum }) => {
      const product = g.gemm(a, b);
      return { product, y: g.add(product, sum) };
    });
    expect(ops(accumulated(read))).toEqual(['gemm', 'add']);
    const spread = graphOf((g, { a, b }) => ({
      y: g.gemm(a, b, { c: g.constant([1], [1, 1]) }),
      z: g.add(g.gemm(a, b), g.constant([2], [1, 1])),
    }));
    expect(ops(accumulated(spread))).not.toContain('addMatmul');
  });

  test.runIf(hasBfloat16)('a sum that is still read stays what it is', async () => {
    const graph = graphOf((g, { a, b, sum }) => {
      const kept = g.neg(sum);
      return { y: g.add(kept, g.gemm(a, b)), z: g.neg(kept) };
    });
    const { z } = await evaluateGraph(accumulated(graph), FEEDS);
    expect(z).toEqual([...FEEDS.sum]);
  });

  test.runIf(hasBfloat16)('products of bfloat16 numbers', async () => {
    const graph = graphOf((g, { a, b, sum }) => {
      const [x, w] = [a, b].map((each) => g.apply('toBfloat16', [each], {}));
      return {
        y: g.add(g.neg(sum), g.apply('matmulBfloat16', [w!, x!], { transA: false, transB: false })),
      };
    });
    const fused = accumulated(graph);
    expect(ops(fused)).toContain('addMatmulBfloat16');
    const [actual, exact] = [await evaluateGraph(fused, FEEDS), await evaluateGraph(graph, FEEDS)];
    expect(relativeError(actual['y']!, exact['y']!)).toBeLessThan(1e-6);
  });
});

test('rows that only a run knows the number of are added by the ops of ONNX', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['tokens of expert 0', 3]);
  const w = g.input('w', 'float32', [3, 4]);
  const twice = g.add(g.gemm(x, w), g.gemm(x, w, { alpha: 2 }));
  const graph = g.finish({ twice, sum: g.gemm(x, w, { c: twice }) });
  expect(accumulateProducts(graph)).toEqual(graph);
  // Nor are those that a sum over them is made of.
  const gradient = g.add(g.neg(w), g.gemm(x, g.neg(twice), { transA: true }));
  const backward = g.finish({ gradient });
  expect(accumulateProducts(backward)).toEqual(backward);
});

test('what does not fit is no sum', () => {
  const g = new GraphBuilder();
  const [a, b, sum] = [
    g.input('a', 'float32', [2, 3]),
    g.input('b', 'float32', [3, 4]),
    g.input('sum', 'float32', [2, 3]),
  ];
  const added = (inputs: Value[], transB: boolean) => () =>
    g.apply('addMatmul', inputs, { transA: false, transB });
  expect(added([sum, a, b], false)).toThrow('a product [2, 4] is not added to [2, 3]');
  expect(added([sum, a, b], true)).toThrow('[2, 3] and [3, 4] do not multiply');
});
