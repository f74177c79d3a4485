import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import type { Value } from '../../../engine/graph/value.ts';
import { uncapturable } from '../../../engine/runtime/uncapturable.ts';

function graphOf(make: (builder: GraphBuilder) => Value) {
  const builder = new GraphBuilder();
  return builder.finish({ y: make(builder) });
}

function joined(...lengths: readonly number[]) {
  return graphOf((builder) =>
    builder.concat(
      lengths.map((length, i) => builder.input(`x${i}`, 'float32', [length, 2])),
      0,
    ),
  );
}

const alike = (count: number): number[] => Array.from({ length: count }, () => 8);

test('what kernels are given by value is captured', () => {
  expect(uncapturable(joined(...alike(32)))).toBeUndefined();
});

test.each([
  ['a last piece that is shorter', joined(128, 128, 44), 'data.pad_to_multiple_of'],
  ['more pieces than a kernel takes', joined(...alike(33)), 'more than 32 tensors'],
  [
    'a product with NF4',
    graphOf((builder) =>
      builder.matmulBnb4(
        builder.input('x', 'float32', [2, 64]),
        builder.constant([...alike(32)], [32], 'uint8'),
        builder.constant([1], [1]),
        { inFeatures: 64, outFeatures: 1 },
      ),
    ),
    'model.quantization',
  ],
  [
    'a size that is not known',
    graphOf((builder) => builder.neg(builder.input('x', 'float32', ['n']))),
    'expert',
  ],
])('%s is not, and a sentence says why', (_, graph, words) => {
  expect(uncapturable(graph)).toContain(words);
});
