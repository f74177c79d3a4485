import { describe, expect, test } from 'vitest';
import { dequantizeNf4, nf4Absmax, nf4Codes } from '../../../engine/formats/nf4.ts';
import { gradients } from '../../../engine/graph/autodiff.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { formatShape } from '../../../engine/graph/dim.ts';
import { peakBytes } from '../../../engine/graph/liveness.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import type { Value } from '../../../engine/graph/value.ts';
import { relativeError } from '../../support/golden.ts';
import { evaluateGraph } from './evaluate.ts';

const waves = (size: number, frequency: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(frequency * i + 1));

/** `[tokens, in, out]`; the last two have blocks across rows, and an odd number of elements. */
const SIZES = [
  [7, 64, 64],
  [5, 128, 192],
  [4, 96, 30],
  [3, 33, 5],
] as const;

describe.each(SIZES)('products with an NF4 weight: %i tokens, %i to %i features', (...sizes) => {
  const [tokens, inFeatures, outFeatures] = sizes;
  const weight = waves(inFeatures * outFeatures, 1.7);
  const absmax = nf4Absmax(weight);
  const codes = nf4Codes(weight, absmax);
  const values = dequantizeNf4(codes, absmax, weight.length);
  const feeds = { x: waves(tokens * inFeatures, 0.7), target: waves(tokens * outFeatures, 0.3) };

  /** `y = x Wᵀ` and the gradient of `Σ y · target`. */
  function evaluate(product: (builder: GraphBuilder, x: Value) => Value) {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [tokens, inFeatures]);
    const target = builder.input('target', 'float32', [tokens, outFeatures]);
    const y = product(builder, x);
    const loss = builder.reduceSum(builder.mul(y, target), [0, 1]);
    const dx = gradients(builder, loss, [x]).get(x)!;
    return evaluateGraph(removeDeadCode(builder.finish({ y, dx })), feeds);
  }

  const stored = (builder: GraphBuilder): [Value, Value] => [
    builder.constant([...codes], [codes.length], 'uint8'),
    builder.constant([...absmax], [absmax.length]),
  ];

  test('are those with its float32 values, forward and backward', async () => {
    const quantized = await evaluate((b, x) =>
      b.matmulBnb4(x, ...stored(b), { inFeatures, outFeatures }),
    );
    const plain = await evaluate((b, x) =>
      b.gemm(x, b.constant([...values], [outFeatures, inFeatures]), { transB: true }),
    );
    expect(relativeError(quantized['y']!, plain['y']!)).toBeLessThan(1e-6);
    expect(relativeError(quantized['dx']!, plain['dx']!)).toBeLessThan(1e-6);
  });

  test('and its values come back exactly', async () => {
    const builder = new GraphBuilder();
    const w = builder.dequantizeNf4(...stored(builder), { inFeatures, outFeatures });
    expect(formatShape(w.shape)).toBe(formatShape([outFeatures, inFeatures]));
    expect((await evaluateGraph(builder.finish({ w })))['w']).toEqual([...values]);
  });
});

test('the memory of a product holds its weight in float32', () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [2, 64]);
  const codes = builder.input('codes', 'uint8', [1024]);
  const absmax = builder.input('absmax', 'float32', [32]);
  const y = builder.matmulBnb4(x, codes, absmax, { inFeatures: 64, outFeatures: 32 });
  expect(peakBytes(builder.finish({ y }))).toBe(4 * (64 * 32 + 2 * 32));
});

describe('what does not fit is named', () => {
  const builder = new GraphBuilder();
  const sizes = { inFeatures: 8, outFeatures: 16 };
  const product = (tokens: number[], codes: number, absmax: number) => () =>
    builder.matmulBnb4(
      builder.constant(new Array(tokens[0]! * tokens[1]!).fill(0), tokens),
      builder.constant(new Array(codes).fill(0), [codes], 'uint8'),
      builder.constant(new Array(absmax).fill(0), [absmax]),
      sizes,
    );

  test('rows, codes and magnitudes', () => {
    expect(product([2, 8], 64, 2)().shape).toEqual([2, 16]);
    expect(product([2, 9], 64, 2)).toThrow('[2, 9] is not made of rows of 8');
    expect(product([2, 8], 63, 2)).toThrow('the codes have the shape [63], not [64]');
    expect(product([2, 8], 64, 3)).toThrow('the magnitudes have the shape [3], not [2]');
  });
});
