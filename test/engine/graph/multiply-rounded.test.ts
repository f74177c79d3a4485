import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import { multiplyRounded } from '../../../engine/graph/passes/multiply-rounded.ts';
import type { Value } from '../../../engine/graph/value.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { relativeError } from '../../support/golden.ts';
import { evaluateGraph } from './evaluate.ts';

const [TOKENS, IN, OUT] = [80, 96, 72];

/** Of one sign, so that no sum cancels. */
const numbers = (count: number, step: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => 1.5 + Math.sin(i * step));

interface Adapted {
  readonly g: GraphBuilder;
  readonly x: Value;
  readonly w: Value;
  readonly a: Value;
  readonly b: Value;
}

/** A layer's frozen weight in bfloat16 and its adapter, whose inner side is `r` wide. */
function graphOf(r: number, build: (parts: Adapted) => Record<string, Value>): Graph {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [TOKENS, IN]);
  const w = g.cast(g.input('w', 'float32', [OUT, IN]), 'bfloat16');
  const a = g.input('a', 'float32', [r, IN]);
  const b = g.input('b', 'float32', [OUT, r]);
  return g.finish(build({ g, x, w, a, b }));
}

const feedsOf = (r: number): Record<string, Float32Array> => ({
  x: numbers(TOKENS * IN, 0.7),
  w: numbers(OUT * IN, 0.5),
  a: numbers(r * IN, 0.3),
  b: numbers(OUT * r, 1.1),
});

const ops = (graph: Graph): string[] =>
  graph.values.map(({ op }) => op).filter((op) => op !== 'input' && op !== 'cast');

const rowsTimesWeight = ({ g, x, w }: Adapted): Value =>
  g.apply('matmulBfloat16', [w, g.apply('toBfloat16', [x], {})], { transA: false, transB: true });

/** The graph computes what it did, but for 2⁻⁹ of each factor. */
async function expectRounded(graph: Graph, r: number): Promise<void> {
  if (!hasBfloat16) return;
  const feeds = feedsOf(r);
  const [exact, actual] = [
    await evaluateGraph(graph, feeds),
    await evaluateGraph(multiplyRounded(graph), feeds),
  ];
  for (const name of graph.outputs.keys()) {
    const error = relativeError(actual[name]!, exact[name]!);
    expect([name, error < 4e-3, error]).toEqual([name, true, error]);
  }
}

test('what a weight is multiplied with is rounded once, for the adapter too, before it is needed', async () => {
  const graph = graphOf(4, (parts) => {
    // The adapter comes first, as it does in a backward pass.
    const down = parts.g.gemm(parts.x, parts.a, { transB: true, alpha: 0.5 });
    return { down, y: rowsTimesWeight(parts) };
  });
  const rounded = multiplyRounded(graph);
  expect(ops(rounded)).toEqual([
    ...['constant', 'mul', 'toBfloat16', 'toBfloat16'],
    ...['matmulBfloat16', 'matmulBfloat16'],
  ]);
  expect(new Set(rounded.values.map(({ name }) => name)).size).toBe(rounded.values.length);
  await expectRounded(graph, 4);
});

test('the gradient of B, whose first factor lies transposed', async () => {
  const graph = graphOf(4, (parts) => {
    const { g, x, b } = parts;
    const narrow = g.gemm(g.slice(x, 1, 0, OUT), b);
    return { y: rowsTimesWeight(parts), gradient: g.gemm(x, narrow, { transA: true }) };
  });
  expect(ops(multiplyRounded(graph)).filter((op) => op === 'gemm')).toHaveLength(1);
  await expectRounded(graph, 4);
});

test('what comes from bfloat16 is not rounded again', () => {
  const g = new GraphBuilder();
  const inner = g.apply('toBfloat16', [g.input('inner', 'float32', [TOKENS, IN])], {});
  const x = g.cast(inner, 'float32');
  const a = g.input('a', 'float32', [4, IN]);
  const w = g.cast(g.input('w', 'float32', [OUT, IN]), 'bfloat16');
  const y = rowsTimesWeight({ g, x, w, a, b: a });
  const rounded = multiplyRounded(g.finish({ y, down: g.gemm(x, a, { transB: true }) }));
  const products = rounded.values.filter(({ op }) => op === 'matmulBfloat16');
  expect(products.map(({ inputs }) => inputs[1]!.inputs[0]!.name)).toEqual(['inner', 'inner']);
});

test('what is rounded nowhere is not rounded for the adapter alone', () => {
  const graph = graphOf(4, ({ g, x, a }) => ({ down: g.gemm(x, a, { transB: true }) }));
  expect(multiplyRounded(graph)).toEqual(graph);
});

test('rows that only a run knows the number of stay in float32', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['tokens of expert 0', 96]);
  const a = g.input('a', 'float32', [4, 96]);
  const graph = g.finish({ down: g.gemm(x, a, { transB: true }) });
  expect(multiplyRounded(graph)).toEqual(graph);
});

test.each([
  [64, ['gemm', 'gemm']],
  [65, ['gemm', 'toBfloat16', 'toBfloat16', 'matmulBfloat16', 'add']],
] as const)('an inner side of %d, by which a product is added', async (r, expected) => {
  const graph = graphOf(r, ({ g, x, a, b }) => {
    const down = g.gemm(x, a, { transB: true });
    return { y: g.gemm(down, b, { transB: true, c: g.constant([1], [1, 1]) }) };
  });
  expect(ops(multiplyRounded(graph)).filter((op) => op !== 'constant')).toEqual(expected);
  await expectRounded(graph, r);
});
