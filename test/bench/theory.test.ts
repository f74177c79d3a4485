import { expect, test } from 'vitest';
import { expectedTensors } from '../../engine/architectures/expected-tensors.ts';
import { parseDecoderConfig } from '../../engine/architectures/hugging-face-config.ts';
import type { Graph } from '../../engine/graph/graph.ts';
import { liveBytes } from '../../engine/graph/liveness.ts';
import { isOp, type Value } from '../../engine/graph/value.ts';
import { planTrainee } from '../../engine/plan/planned-trainee.ts';
import { trainingGraph } from '../../engine/step/training-graph.ts';
import { describeTensors } from '../../engine/weights/weight-cache.ts';
import { WeightStore } from '../../engine/weights/weight-store.ts';
import { loraInputBytes } from './lora-inputs.ts';
import { modelFlops } from './model-flops.ts';
import { MODEL_SHAPES } from './model-shapes.ts';
import { runConfig, type Settings } from './run-config.ts';

/** SmolLM2-135M by its shapes; no weight is read. */
const config = parseDecoderConfig(MODEL_SHAPES['135m'], 'config.json');
const tensors = [...expectedTensors(config)].map(([name, shape]) => ({
  name,
  shape,
  dtype: 'BF16' as const,
  data: new Uint8Array(),
}));
const model = { name: '135m', config, weights: new WeightStore(describeTensors(tensors, '')) };

const size = { rows: 1, length: 256 };
const tokens = 256;

async function step(settings: Settings) {
  const paths = { model: '/model', data: '/data.jsonl', output: '/output' };
  const { modules, trainable } = await planTrainee(runConfig(settings, paths), model);
  const graph = trainingGraph({
    model,
    modules,
    trainable: trainable.map(({ name }) => name),
    trainBase: false,
    dropout: 0,
    recompute: 'none',
    shape: { ...size, lossTokens: tokens },
  });
  return { modules, graph };
}

test.each([
  ['all-linear', 16],
  ['all-linear', 128],
  [['q_proj', 'v_proj'], 16],
  [['gate_proj', 'down_proj'], 16],
])('LoRA keeps the inputs of %j with r = %i, LoRA-FA keeps none of them', async (targets, r) => {
  const settings = { 'lora.target_modules': targets, 'lora.r': r };
  const lora = await step({ ...settings, 'training.method': 'lora' });
  const lorafa = await step({ ...settings, 'training.method': 'lorafa' });
  expect(liveBytes(lora.graph) - liveBytes(lorafa.graph)).toBe(
    loraInputBytes(lora.modules, tokens),
  );
});

test('the operations that a step needs are those of the products in its graph', async () => {
  const { graph, modules } = await step({});
  const ratio = productFlops(graph) / modelFlops(config, modules, size);
  // The first layer needs no gradient of its input; blocks of queries see somewhat more than half.
  expect(ratio).toBeGreaterThan(0.97);
  expect(ratio).toBeLessThan(1.03);
});

/** Operations of all matrix products of a graph, from the shapes of its values. */
function productFlops({ values }: Graph): number {
  return values.reduce((sum, value) => sum + 2 * innerLength(value) * elements(value), 0);
}

function innerLength(value: Value): number {
  const shape = value.inputs[0]?.shape ?? [];
  if (isOp(value, 'gemm')) return Number(value.attributes.transA ? shape[0] : shape[1]);
  return value.op.toLowerCase().includes('matmul') ? Number(shape.at(-1)) : 0;
}

function elements({ shape }: Value): number {
  return shape.reduce<number>((product, length) => product * Number(length), 1);
}
