import { describe, expect, test } from 'vitest';
import { bfloat16ToFloat32, float32ToBfloat16 } from '../../../engine/formats/float16.ts';
import { gradients } from '../../../engine/graph/autodiff.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import { Random } from '../../../engine/random.ts';
import { bfloat16Products } from '../../../engine/weights/bfloat16-linear.ts';
import { COMPUTE_MODES, isBfloat16Mode } from '../../../engine/weights/compute-mode.ts';
import type { WeightParameters } from '../../../engine/weights/weight-parameters.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { evaluateGraph } from '../graph/evaluate.ts';
import { exactProduct, recomputedGradients } from './product-cases.ts';

const MODES = COMPUTE_MODES.filter(isBfloat16Mode);
const [TOKENS, IN, OUT] = [16, 96, 40];

function numbers(count: number, seed: number): Float32Array {
  const random = new Random(seed, 0);
  return Float32Array.from({ length: count }, () => random.uint32() / 2 ** 31 - 1);
}

const rounded = (x: Float32Array): Float32Array => bfloat16ToFloat32(float32ToBfloat16(x));

/** Weights `[OUT, IN]` of a graph, fed in float32. */
function parameters(
  builder: GraphBuilder,
  compute: (typeof MODES)[number],
  names: readonly string[],
): WeightParameters {
  const values = new Map(
    names.map((name) => {
      const fed = builder.input(name, 'float32', [OUT, IN]);
      return [name, builder.apply('toBfloat16', [fed], {})] as const;
    }),
  );
  return { compute, has: (name) => values.has(name), stored: (name) => values.get(name)! };
}

/** In float64, of numbers that are rounded first where the mode says so. */
function expected(
  mode: (typeof MODES)[number],
  feeds: Readonly<Record<'x' | 'w' | 'target', Float32Array>>,
): { readonly y: number[]; readonly dx: number[] } {
  const seen = (x: Float32Array): Float32Array => (mode === 'bfloat16' ? rounded(x) : x);
  const [x, w, target] = [seen(feeds.x), rounded(feeds.w), seen(feeds.target)];
  return {
    y: exactProduct(x, w, [TOKENS, IN, OUT], true),
    dx: exactProduct(target, w, [TOKENS, OUT, IN], false),
  };
}

describe.runIf(hasBfloat16)('products in bfloat16', () => {
  test.each(MODES)('%s is what its rounding leaves, forward and backward', async (mode) => {
    const feeds = {
      x: numbers(TOKENS * IN, 1),
      w: numbers(OUT * IN, 2),
      target: numbers(TOKENS * OUT, 3),
    };
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [TOKENS, IN]);
    const target = builder.input('target', 'float32', [TOKENS, OUT]);
    const y = bfloat16Products(builder, parameters(builder, mode, ['w']))('w', x);
    const loss = builder.reduceSum(builder.mul(y, target), [0, 1]);
    const dx = gradients(builder, loss, [x]).get(x)!;
    const results = await evaluateGraph(removeDeadCode(builder.finish({ y, dx })), feeds);
    const wanted = expected(mode, feeds);
    for (const result of ['y', 'dx'] as const) {
      const norm = (numbers: readonly number[]): number => Math.hypot(...numbers);
      const off = results[result]!.map((number, i) => number - wanted[result][i]!);
      // What is left is float32's own, and 2⁻¹⁷ of the activations where they are two numbers.
      expect(norm(off) / norm(wanted[result])).toBeLessThan(mode === 'bfloat16' ? 3e-7 : 4e-6);
    }
  });

  test('what scales the rows of a factor is left until after the product', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [TOKENS, IN]);
    const column = builder.input('column', 'float32', [TOKENS, 1]);
    const multiply = bfloat16Products(builder, parameters(builder, 'bfloat16x2', ['w']));
    const y = multiply('w', builder.mul(x, column));
    expect([y.op, y.inputs[0]!.op, y.inputs[1]]).toEqual(['mul', 'matmulBfloat16', column]);
    const plain = multiply('w', builder.mul(x, builder.input('all', 'float32', [TOKENS, IN])));
    expect(plain.op).toBe('matmulBfloat16');
    const scales = numbers(TOKENS, 4);
    const graph = removeDeadCode(builder.finish({ y, unscaled: multiply('w', x) }));
    const feeds = { x: numbers(TOKENS * IN, 1), w: numbers(OUT * IN, 2), column: scales };
    const results = await evaluateGraph(graph, feeds);
    const by = results['unscaled']!.map((number, i) =>
      Math.fround(number * scales[Math.floor(i / OUT)]!),
    );
    expect(results['y']).toEqual(by);
  });

  test('what is computed again for the backward pass comes to the same', async () => {
    const builder = new GraphBuilder();
    const multiply = bfloat16Products(builder, parameters(builder, 'bfloat16x2', ['w']));
    const x = builder.input('x', 'float32', [TOKENS, IN]);
    const target = builder.input('target', 'float32', [TOKENS, OUT]);
    const { kept, recomputed } = recomputedGradients(
      builder,
      (input) => multiply('w', input),
      x,
      target,
    );
    const graph = removeDeadCode(builder.finish({ kept, recomputed }));
    const results = await evaluateGraph(graph, {
      x: numbers(TOKENS * IN, 1),
      w: numbers(OUT * IN, 2),
      target: numbers(TOKENS * OUT, 3),
    });
    expect(results['recomputed']).toEqual(results['kept']);
  });

  test('NaN and infinity stay in their row', async () => {
    for (const [mode, bad] of MODES.flatMap((mode) => [
      [mode, Number.NaN] as const,
      [mode, Number.POSITIVE_INFINITY] as const,
    ])) {
      const builder = new GraphBuilder();
      const x = builder.input('x', 'float32', [TOKENS, IN]);
      const y = bfloat16Products(builder, parameters(builder, mode, ['w']))('w', x);
      const given = numbers(TOKENS * IN, 1);
      given[IN + 50] = bad;
      const results = await evaluateGraph(builder.finish({ y }), {
        x: given,
        w: numbers(OUT * IN, 2),
      });
      const finite = results['y']!.map(Number.isFinite);
      expect(finite.slice(OUT, 2 * OUT).some(Boolean), mode).toBe(false);
      expect([...finite.slice(0, OUT), ...finite.slice(2 * OUT)].every(Boolean), mode).toBe(true);
    }
  });
});

test.each([
  ['bfloat16', 1],
  ['bfloat16x2', 2],
] as const)('%s: what several weights are multiplied with is rounded once', (mode, parts) => {
  const builder = new GraphBuilder();
  const names = ['q', 'k', 'v'];
  const multiply = bfloat16Products(builder, parameters(builder, mode, names));
  const before = builder.values.length;
  const x = builder.input('x', 'float32', [TOKENS, IN]);
  for (const name of names) multiply(name, x);
  const roundings = builder.values.slice(before).filter(({ op }) => op === 'toBfloat16');
  expect(roundings).toHaveLength(parts);
});
