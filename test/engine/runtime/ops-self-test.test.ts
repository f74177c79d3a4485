import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generationGraph } from '../../../engine/generate/generation-graph.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import { withWebgpuOps } from '../../../engine/graph/passes/webgpu-ops.ts';
import { adamWGraph, squaredNormGraph } from '../../../engine/optim/adamw.ts';
import { planTrainee } from '../../../engine/plan/planned-trainee.ts';
import { testedOps } from '../../../engine/runtime/ops-self-test.ts';
import { evaluationSpec, stepSpec } from '../../../engine/step/step-spec.ts';
import { trainingGraph } from '../../../engine/step/training-graph.ts';
import { goldenPath } from '../../support/golden.ts';
import { goldenCase, goldenModel } from '../train/golden-case.ts';

/** Mixtures of experts are refused there. */
const hasNoExperts = (name: string): boolean => !/experts|mixtral|moe/.test(name);
const runs = readdirSync(goldenPath('training')).filter(
  (name) => name.startsWith('family-') && hasNoExperts(name),
);
const models = readdirSync(goldenPath('models')).filter(hasNoExperts);

const DEVICE = { kind: 'webgpu', index: 0 } as const;
const SHAPE = { rows: 2, length: 8, lossTokens: 16 };
const ADAMW = {
  form: 'adamw_hf',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-6,
  weightDecay: 0.1,
} as const;

const tested = testedOps();

/** Ops that WebGPU computes of a graph and that nobody has compared. */
function untestedOps(graph: Graph): readonly string[] {
  const ops = withWebgpuOps(graph).values.map(({ op }) => op);
  const leaves = new Set(['input', 'weight', 'constant']);
  return [...new Set(ops.filter((op) => !leaves.has(op) && !tested.has(op)))];
}

test.each(runs)('each op of a step is compared before a device is used: %s', async (name) => {
  const { config, model } = await goldenCase(name);
  const trainee = await planTrainee(config, model);
  const spec = { ...stepSpec(config, model, trainee), device: DEVICE, shape: SHAPE };
  const tensors = trainee.trainable.map((tensor) => ({ ...tensor }));
  const graphs = [
    trainingGraph({ ...spec, recompute: 'none' }),
    trainingGraph({ ...spec, recompute: 'layer', dropout: 0.1, packing: true }),
    trainingGraph({ ...evaluationSpec(spec), recompute: 'none' }),
    adamWGraph(tensors, ADAMW),
    squaredNormGraph(tensors),
  ];
  expect(graphs.flatMap(untestedOps)).toEqual([]);
});

test.each(models)('each op of an answer is: %s', async (name) => {
  expect(untestedOps(generationGraph(await goldenModel(name), [], undefined, false))).toEqual([]);
});
