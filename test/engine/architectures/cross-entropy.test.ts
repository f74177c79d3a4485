import { expect, test } from 'vitest';
import {
  crossEntropyWithGradients,
  LOSS_CHUNK,
} from '../../../engine/architectures/cross-entropy.ts';
import { outputLayer } from '../../../engine/architectures/output-layer.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import type { Value } from '../../../engine/graph/value.ts';
import { mappedParameters } from '../../../engine/weights/weight-parameters.ts';
import { goldenModel } from '../train/golden-case.ts';

test('the logits of a chunk wait for the gradient of the chunk before it', async () => {
  const { config, weights } = await goldenModel('smollm2-bf16');
  const builder = new GraphBuilder();
  const parameters = mappedParameters(builder, weights);
  const count = 3 * LOSS_CHUNK;
  const hidden = builder.input('hidden', 'float32', [count, config.hiddenSize]);
  const { hiddenGradient, loss } = crossEntropyWithGradients(
    { builder, config, output: outputLayer({ builder, config, parameters }) },
    hidden,
    {
      rows: builder.input('rows', 'int64', [count]),
      targets: builder.input('targets', 'int64', [count]),
      weights: builder.input('weights', 'float32', [count]),
    },
    false,
  );
  const { values } = removeDeadCode(builder.finish({ hiddenGradient, loss }));
  const products = (columns: number): Value[] =>
    values.filter(({ op, shape }) => op === 'gemm' && shape[1] === columns);
  const logits = products(config.vocabSize);
  const gradients = products(config.hiddenSize);
  expect([logits.length, gradients.length]).toEqual([3, 3]);
  const needs = (value: Value, other: Value): boolean =>
    value === other || value.inputs.some((input) => needs(input, other));
  expect(needs(logits[1]!, gradients[0]!)).toBe(true);
  expect(needs(logits[2]!, gradients[1]!)).toBe(true);
  expect(needs(logits[0]!, gradients[0]!)).toBe(false);
});
