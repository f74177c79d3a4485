import { describe, expect, test } from 'vitest';
import { readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { type AdamWForm, expAvgSqName } from '../../../engine/optim/adamw.ts';
import { decaysInTrainer, layerNormNames } from '../../../engine/optim/decay.ts';
import { Optimizer } from '../../../engine/optim/optimizer.ts';
import { HostTensor } from '../../../engine/runtime/host-tensor.ts';
import type { StateTensor } from '../../../engine/runtime/state-tensor.ts';
import {
  type GoldenTensor,
  goldenJson,
  goldenPath,
  goldenTensors,
  relativeError,
} from '../../support/golden.ts';

/** `golden/optimizers/NAME.json`. */
interface GoldenOptimizer {
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weight_decay: number;
  readonly max_grad_norm: number;
  readonly learning_rates: readonly number[];
  readonly decayed: readonly string[];
}

/** The weights of every tensor after every update, from the gradients of a reference run. */
async function updated(
  name: string,
  form: AdamWForm,
  golden: ReadonlyMap<string, GoldenTensor>,
): Promise<ReadonlyMap<string, number[]>> {
  const settings = goldenJson<GoldenOptimizer>('optimizers', `${name}.json`);
  const names = namesIn(golden);
  const weights = new Map(
    names.map((each): [string, StateTensor] => {
      const { shape, data } = golden.get(`initial.${each}`)!;
      return [each, new HostTensor(shape, Float32Array.from(data))];
    }),
  );
  const optimizer = await Optimizer.create({
    form,
    tensors: names.map((each) => ({
      name: each,
      shape: golden.get(`initial.${each}`)!.shape,
      decays: settings.decayed.includes(each),
    })),
    weights,
    projections: new Map(),
    beta1: settings.betas[0],
    beta2: settings.betas[1],
    epsilon: settings.eps,
    weightDecay: settings.weight_decay,
    maxGradNorm: settings.max_grad_norm,
    session: { threads: 1 },
  });
  const after = new Map(names.map((each): [string, number[]] => [each, []]));
  for (const [step, rate] of settings.learning_rates.entries()) {
    for (const [each, gradient] of optimizer.gradients) {
      const all = Float32Array.from(golden.get(`gradients.${each}`)!.data);
      gradient.write(all.subarray(step * gradient.length, (step + 1) * gradient.length));
    }
    await optimizer.step(rate, await optimizer.gradientNorm());
    for (const each of names) after.get(each)!.push(...weights.get(each)!.read());
  }
  await optimizer.release();
  return after;
}

function namesIn(golden: ReadonlyMap<string, GoldenTensor>): string[] {
  const prefix = 'initial.';
  return [...golden.keys()]
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length));
}

const goldenOf = (name: string) => goldenTensors('optimizers', `${name}.safetensors`);

describe('twenty updates equal those of the reference, each of them', () => {
  test.each([
    ['trainer', 'adamw_torch'],
    ['lorafa', 'adamw_hf'],
  ] as const)('%s: %s', async (name, form) => {
    const golden = await goldenOf(name);
    for (const [tensor, weights] of await updated(name, form, golden)) {
      const expected = golden.get(`weights.${tensor}`)!.data;
      expect(relativeError(weights, expected), tensor).toBeLessThan(2e-6);
    }
  });

  test.each([
    ['trainer', 'adamw_hf'],
    ['lorafa', 'adamw_torch'],
  ] as const)('and those of %s are not those of %s', async (name, form) => {
    const golden = await goldenOf(name);
    const weights = await updated(name, form, golden);
    const errors = [...weights].map(([tensor, values]) =>
      relativeError(values, golden.get(`weights.${tensor}`)!.data),
    );
    expect(Math.min(...errors)).toBeGreaterThan(1e-3);
  });
});

test('the reference decays what it says, and LoRA-FA all of it', () => {
  const { decayed } = goldenJson<GoldenOptimizer>('optimizers', 'trainer.json');
  const all = goldenJson<GoldenOptimizer>('optimizers', 'lorafa.json').decayed;
  expect(all.filter((name) => decaysInTrainer(name)).toSorted()).toEqual(decayed.toSorted());
  expect(decayed.length).toBeLessThan(all.length);
});

describe('what decays is what the Trainer lets decay', () => {
  const { full, lora } =
    goldenJson<Record<string, Record<string, Record<string, boolean>>>>('decay.json');
  test.each(Object.entries(lora!))('an adapter of %s', (_, parameters) => {
    for (const [name, decays] of Object.entries(parameters)) {
      expect(decaysInTrainer(name), name).toBe(decays);
    }
  });

  test.each(Object.entries(full!))('%s', async (model, parameters) => {
    const { config } = await readDecoderConfig(goldenPath('models', model));
    const layerNorms = layerNormNames(config);
    for (const [name, decays] of Object.entries(parameters)) {
      expect(decaysInTrainer(name, layerNorms), name).toBe(decays);
    }
  });
});

test('in one run some tensors of a shape decay and others do not', async () => {
  const weights = new Map<string, StateTensor>(
    ['a', 'b'].map((name) => [name, new HostTensor([2], Float32Array.of(1, 2))]),
  );
  const optimizer = await Optimizer.create({
    form: 'adamw_torch',
    tensors: [
      { name: 'a', shape: [2] },
      { name: 'b', shape: [2], decays: false },
    ],
    weights,
    projections: new Map(),
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.5,
    maxGradNorm: 0,
    session: { threads: 1 },
  });
  await optimizer.step(0.5, 0);
  expect(weights.get('a')!.read()).toEqual(Float32Array.of(0.75, 1.5));
  expect(weights.get('b')!.read()).toEqual(Float32Array.of(1, 2));
  expect(optimizer.moments.get(expAvgSqName('a'))!.read()).toEqual(new Float32Array(2));
  await optimizer.release();
});
