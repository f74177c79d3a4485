import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { learningRate } from '../../../engine/optim/learning-rate.ts';
import { createOptimizer } from '../../../engine/train/create-optimizer.ts';
import { goldenPath, relativeError } from '../../support/golden.ts';
import { type GoldenCase, goldenCase, goldenRunner, valuesOf } from './golden-case.ts';

/** What the engine makes of a reference run. */
interface Trained {
  readonly losses: readonly number[];
  readonly gradNorms: readonly number[];
  readonly learningRates: readonly number[];
  /** Of the first step, accumulated. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly finals: ReadonlyMap<string, Float32Array>;
}

async function trainAgain(reference: GoldenCase): Promise<Trained> {
  const { config, steps, settings } = reference;
  const { training } = config;
  const { trainee, runner } = await goldenRunner(reference);
  const optimizer = await createOptimizer(config, trainee, { threads: 1 });
  const losses: number[] = [];
  const gradNorms: number[] = [];
  const learningRates: number[] = [];
  let first: Map<string, Float32Array> | undefined;
  for (const [step, batches] of steps.entries()) {
    const supervised = batches.reduce((sum, batch) => sum + batch.numSupervisedTokens, 0);
    optimizer.clearGradients();
    let loss = 0;
    for (const batch of batches) {
      loss += await runner.run(batch, 1 / supervised, 0, optimizer.gradients);
    }
    first ??= valuesOf(optimizer.gradients);
    const norm = await optimizer.gradientNorm();
    const rate = learningRate({ ...training, max_steps: settings.steps }, step);
    await optimizer.step(rate, norm);
    losses.push(loss);
    gradNorms.push(norm);
    learningRates.push(rate);
  }
  const finals = valuesOf(trainee.tensors);
  await runner.release();
  await optimizer.release();
  return { losses, gradNorms, learningRates, gradients: first!, finals };
}

/** Names of the golden tensors `PREFIX.TENSOR`, without the prefix. */
function trainedTensors({ golden }: GoldenCase, prefix: string): string[] {
  return [...golden.keys()]
    .filter((name) => name.startsWith(`${prefix}.`))
    .map((name) => name.slice(prefix.length + 1));
}

describe('twenty steps equal those of torch, transformers and peft', () => {
  test.each(readdirSync(goldenPath('training')))('%s', async (name) => {
    const reference = await goldenCase(name);
    const { golden, config, settings } = reference;
    const { adam_beta1: beta1, adam_beta2: beta2, adam_epsilon: epsilon } = config.training;
    expect([[beta1, beta2], epsilon]).toEqual([settings.optimizer.betas, settings.optimizer.eps]);
    const trained = await trainAgain(reference);

    const tensors = trainedTensors(reference, 'grad');
    expect(tensors.length).toBeGreaterThan(0);
    expect([...trained.gradients.keys()].toSorted()).toEqual(tensors.toSorted());
    for (const tensor of tensors) {
      const expected = golden.get(`grad.${tensor}`)!.data;
      expect(relativeError(trained.gradients.get(tensor)!, expected), tensor).toBeLessThan(1e-4);
    }
    const losses = golden.get('losses')!.data;
    for (const [step, loss] of trained.losses.entries()) {
      expect(Math.abs(loss - losses[step]!), `loss of step ${step}`).toBeLessThan(1e-4);
    }
    expect(relativeError(trained.gradNorms, golden.get('grad_norms')!.data)).toBeLessThan(1e-4);
    expect(relativeError(trained.learningRates, golden.get('learning_rates')!.data)).toBeLessThan(
      1e-6,
    );
    for (const tensor of tensors) {
      const expected = golden.get(`final.${tensor}`)!.data;
      expect(relativeError(trained.finals.get(tensor)!, expected), tensor).toBeLessThan(1e-3);
    }
  });
});
