import { describe, expect, test } from 'vitest';
import { gradients } from '../../../engine/graph/autodiff.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import type { Value } from '../../../engine/graph/value.ts';
import { evaluateGraph } from './evaluate.ts';

const sumOf = (b: GraphBuilder, x: Value): Value =>
  b.reduceSum(
    x,
    x.shape.map((_, axis) => axis),
  );

/** d (sum of what `make` makes) / d x at `at`. */
async function gradientAt(
  at: number[],
  make: (b: GraphBuilder, x: Value) => Value,
): Promise<number[]> {
  const b = new GraphBuilder();
  const x = b.input('x', 'float64', [at.length]);
  const gradient = gradients(b, sumOf(b, make(b, x)), [x]).get(x)!;
  const graph = removeDeadCode(b.finish({ gradient }));
  // A linear function has a gradient without any input.
  const used = graph.values.includes(x);
  return (await evaluateGraph(graph, used ? { x: Float64Array.from(at) } : {}))['gradient']!;
}

describe('gradients', () => {
  test('of a value that is read twice add up', async () => {
    expect(await gradientAt([3, 4], (b, x) => b.mul(x, x))).toEqual([6, 8]);
    // x³ through a value that is shared by two readers of its own
    expect(await gradientAt([2], (b, x) => b.mul(b.mul(x, x), x))).toEqual([12]);
  });

  test('of a long chain of reuse stay linear in size', () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float64', [1]);
    let y: Value = x;
    for (let i = 0; i < 20; i++) y = b.add(y, y);
    gradients(b, y, [x]);
    expect(b.values.length).toBeLessThan(80);
  });

  test('are summed over the axes that were broadcast', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float64', [2, 1]);
    const y = b.input('y', 'float64', [3]);
    const grads = gradients(b, sumOf(b, b.mul(x, y)), [x, y]);
    expect(grads.get(x)!.shape).toEqual([2, 1]);
    expect(grads.get(y)!.shape).toEqual([3]);
    const graph = removeDeadCode(b.finish({ x: grads.get(x)!, y: grads.get(y)! }));
    const feeds = { x: Float64Array.of(10, 20), y: Float64Array.of(1, 2, 3) };
    expect(await evaluateGraph(graph, feeds)).toEqual({ x: [6, 6], y: [30, 30, 30] });
  });

  test('of slices that tile a value are concatenated, not padded and added', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float64', [4]);
    const [left, right] = [b.slice(x, 0, 0, 1), b.slice(x, 0, 1, 4)];
    const loss = b.add(sumOf(b, b.mul(right, right)), sumOf(b, b.mul(left, left)));
    const graph = removeDeadCode(b.finish({ gradient: gradients(b, loss, [x]).get(x)! }));
    const ops = graph.values.map(({ op }) => op);
    expect(ops).toContain('concat');
    expect(ops).not.toContain('pad');
    const result = await evaluateGraph(graph, { x: Float64Array.of(1, 2, 3, 4) });
    expect(result['gradient']).toEqual([2, 4, 6, 8]);
  });

  test.each([
    ['overlap', [0, 3], [2, 4], [1, 1, 2, 1]],
    ['leave a gap', [0, 1], [2, 4], [1, 0, 1, 1]],
    ['are the same', [0, 2], [0, 2], [2, 2, 0, 0]],
  ])('of slices that %s are padded and added', async (_, [a, b], [c, d], expected) => {
    const gradient = await gradientAt([1, 2, 3, 4], (g, x) =>
      g.concat([g.slice(x, 0, a!, b!), g.slice(x, 0, c!, d!)], 0),
    );
    expect(gradient).toEqual(expected);
  });

  test.each([
    ['all', [0, 1, 2], [3, 3, 5, 7]],
    ['not all', [0, 2], [3, 3, 0, 7]],
  ])('of segments, of which %s are read', async (_, read, expected) => {
    const factors = [3, 5, 7];
    const b = new GraphBuilder();
    const x = b.input('x', 'float64', [4, 1]);
    const ends = b.constant([2, 3, 4], [3], 'int64');
    const losses = read.map((index) => {
      const segment = b.segment(x, ends, index, [2, 1, 1][index]!);
      return sumOf(b, b.mul(segment, b.scalar(factors[index]!, 'float64')));
    });
    const loss = losses.reduce((sum, each) => b.add(sum, each));
    const graph = removeDeadCode(b.finish({ gradient: gradients(b, loss, [x]).get(x)! }));
    const ops = graph.values.map(({ op }) => op);
    expect(ops.includes('padSegment')).toBe(read.length < 3);
    const result = await evaluateGraph(graph, { x: Float64Array.of(1, 2, 3, 4) });
    expect(result['gradient']).toEqual(expected);
  });

  test('of a choice go through what is chosen, not through which it is', async () => {
    const gradient = await gradientAt([1, 3, 2], (b, x) => {
      const row = b.reshape(x, [1, 3]);
      const largest = b.topKMask(row, 2);
      return b.where(largest, b.mul(row, row), b.scalar(0, 'float64'));
    });
    expect(gradient).toEqual([0, 6, 4]);
  });

  test('of a slice that is also read whole', async () => {
    const gradient = await gradientAt([5, 6], (b, x) =>
      b.concat([b.mul(x, x), b.slice(x, 0, 1, 2)], 0),
    );
    expect(gradient).toEqual([10, 13]);
  });

  test('of the loss itself is one', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float64', [1]);
    const graph = removeDeadCode(b.finish({ gradient: gradients(b, x, [x]).get(x)! }));
    expect((await evaluateGraph(graph))['gradient']).toEqual([1]);
  });

  test('go no further than the values that were asked for', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float64', [1]);
    const inner = b.mul(x, b.scalar(3, 'float64'));
    const grads = gradients(b, b.mul(inner, inner), [inner]);
    const graph = removeDeadCode(b.finish({ inner: grads.get(inner)! }));
    expect(await evaluateGraph(graph, { x: Float64Array.of(2) })).toEqual({ inner: [12] });
    expect(b.values.filter(({ inputs }) => inputs.includes(x))).toEqual([inner]);
  });

  test('of a recomputed region are the same, and read nothing of its first computation', async () => {
    const make = (recompute: boolean) => {
      const b = new GraphBuilder();
      const x = b.input('x', 'float64', [2]);
      const scaled = b.mul(x, b.scalar(0.5, 'float64'));
      const region = (): Value => b.exp(b.sin(b.mul(scaled, scaled)));
      const y = recompute ? b.recomputed(region) : region();
      const first = [...b.values].slice(-3);
      const loss = sumOf(b, y);
      const end = b.values.length;
      const gradient = gradients(b, loss, [x]).get(x)!;
      const backward = b.values.slice(end).flatMap(({ inputs }) => inputs);
      return { graph: removeDeadCode(b.finish({ gradient, loss })), first, backward };
    };
    const [kept, again] = [make(false), make(true)];
    expect(kept.first.some((value) => kept.backward.includes(value))).toBe(true);
    expect(again.first.some((value) => again.backward.includes(value))).toBe(false);
    const feeds = { x: Float64Array.of(1.5, -0.5) };
    expect(await evaluateGraph(again.graph, feeds)).toEqual(await evaluateGraph(kept.graph, feeds));
  });

  test('of what the loss does not depend on are refused by name', () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float64', [1]);
    const other = b.input('other', 'float64', [1]);
    expect(() => gradients(b, b.neg(x), [x, other])).toThrow('neg_2 does not depend on other');
  });

  test('through what has none are refused by name', () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float64', [1]);
    const y = b.mod(x, b.scalar(2, 'float64'));
    expect(() => gradients(b, y, [x])).toThrow('mod_2 has no gradient for its input 0');
  });

  test('need nothing of paths that were not asked for', () => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float64', [1]);
    const mask = b.mod(b.input('seed', 'float64', [1]), b.scalar(2, 'float64'));
    expect(() => gradients(b, b.mul(x, mask), [x])).not.toThrow();
  });
});
