import { describe, expect, test } from 'vitest';
import { gradients } from '../../../engine/graph/autodiff.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { numElements } from '../../../engine/graph/dim.ts';
import { type Graph, graphInputs } from '../../../engine/graph/graph.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import type { Value } from '../../../engine/graph/value.ts';
import { loraLinear } from '../../../engine/lora/lora-linear.ts';
import { loraAName, loraBName } from '../../../engine/lora/lora-module.ts';
import { mergePays } from '../../../engine/lora/merged-linear.ts';
import { Random } from '../../../engine/random.ts';
import { denseProduct } from '../../../engine/weights/base-linear.ts';
import { relativeError } from '../../support/golden.ts';
import { evaluateGraph } from '../graph/evaluate.ts';

const NAME = 'model.layers.0.self_attn.q_proj';
const MODULE = {
  ...{ name: NAME, inFeatures: 12, outFeatures: 8, fanInFanOut: false },
  ...{ r: 3, loraAlpha: 6, scaling: 2 },
};
const TOKENS = 16;

interface Form {
  readonly merged: boolean;
  readonly bias?: boolean;
  readonly fanInFanOut?: boolean;
  readonly recomputed?: boolean;
  readonly trained?: readonly ('a' | 'b')[];
}

/** Two adapted products in a row, `Σ (y ⊙ weights)`, and its gradients. */
function layerGraph({
  merged,
  bias = false,
  fanInFanOut = false,
  recomputed = false,
  trained = ['b'],
}: Form): Graph {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [TOKENS, MODULE.inFeatures]);
  const shape = [MODULE.outFeatures, MODULE.inFeatures];
  const layer = {
    weight: builder.input('W', 'float32', fanInFanOut ? shape.toReversed() : shape),
    fanInFanOut,
    bias: bias ? builder.input('bias', 'float32', [MODULE.outFeatures]) : undefined,
  };
  const linear = loraLinear({
    builder,
    base: { dense: () => layer, linear: (_, input) => denseProduct(builder, input, layer) },
    modules: [MODULE],
    mergeForTokens: merged ? TOKENS : 0,
  });
  const forward = (): Value => builder.silu(linear(NAME, builder.sigmoid(x)));
  const y = recomputed ? builder.recomputed(forward) : forward();
  const weights = builder.input('weights', 'float32', [TOKENS, MODULE.outFeatures]);
  const loss = builder.reduceSum(builder.mul(y, weights), [0, 1]);
  const inputs = new Map(builder.values.map((value) => [value.name, value]));
  const wanted = [x, ...trained.map((each) => inputs.get(adapterName(each))!)];
  const found = gradients(builder, loss, wanted);
  const outputs = Object.fromEntries(wanted.map((value) => [value.name, found.get(value)!]));
  return removeDeadCode(builder.finish({ ...outputs, loss }));
}

const adapterName = (tensor: 'a' | 'b'): string =>
  tensor === 'a' ? loraAName(NAME) : loraBName(NAME);

function compute(graph: Graph): Promise<Record<string, number[]>> {
  const random = new Random(3, 0);
  const values = new Map(
    ['x', 'W', 'bias', 'weights', loraAName(NAME), loraBName(NAME)].map((name) => {
      return [name, Array.from({ length: TOKENS * 12 }, () => random.normal())] as const;
    }),
  );
  const feeds = graphInputs(graph).map(({ name, shape }) => [
    name,
    Float32Array.from(values.get(name)!.slice(0, Number(numElements(shape)))),
  ]);
  return evaluateGraph(graph, Object.fromEntries(feeds));
}

const weightSized = ({ values }: Graph): Value[] =>
  values.filter(
    ({ op, shape }) =>
      op === 'gemm' && shape[0] === MODULE.outFeatures && shape[1] === MODULE.inFeatures,
  );

describe('an adapter merged into its layer', () => {
  test.each<[string, Omit<Form, 'merged'>]>([
    ['B trained', {}],
    ['A and B trained', { trained: ['a', 'b'] }],
    ['a bias', { bias: true }],
    ['a weight that lies the other way', { fanInFanOut: true, trained: ['a', 'b'] }],
    ['computed again for the backward pass', { recomputed: true, trained: ['a', 'b'] }],
  ])('gives the losses and gradients of one beside it: %s', async (_, form) => {
    const beside = await compute(layerGraph({ ...form, merged: false }));
    const merged = await compute(layerGraph({ ...form, merged: true }));
    expect(Object.keys(merged)).toEqual(Object.keys(beside));
    for (const [name, values] of Object.entries(beside)) {
      expect(relativeError(merged[name]!, values), name).toBeLessThan(2e-6);
    }
  });

  test('takes one product forward and one back; no gradient has the size of the weight', () => {
    const graph = layerGraph({ merged: true });
    expect(weightSized(graph)).toHaveLength(2);
    expect(weightSized(graph).every(({ inputs }) => inputs[2]!.name === 'W')).toBe(true);
    expect(weightSized(layerGraph({ merged: false }))).toHaveLength(0);
  });

  test('has its narrow product made before the layer, so that the wide input is not kept', () => {
    const { values } = layerGraph({ merged: true });
    const down = values.findIndex(({ shape }) => shape[0] === TOKENS && shape[1] === MODULE.r);
    const product = values.find(
      ({ op, shape }) => op === 'gemm' && shape[0] === TOKENS && shape[1] === MODULE.outFeatures,
    )!;
    const waits = (value: Value): boolean => value === values[down] || value.inputs.some(waits);
    expect(product.inputs.slice(2).some(waits)).toBe(true);
  });
});

test('merging pays from the harmonic mean of the widths on', () => {
  const module = { ...MODULE, inFeatures: 576, outFeatures: 1536 };
  expect(mergePays(module, 837)).toBe(false);
  expect(mergePays(module, 838)).toBe(true);
});
