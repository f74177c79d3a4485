import { describe, expect, test } from 'vitest';
import { Optimizer, type OptimizerOptions } from '../../../engine/optim/optimizer.ts';
import { Random } from '../../../engine/random.ts';
import { HostTensor } from '../../../engine/runtime/host-tensor.ts';
import type { StateTensor } from '../../../engine/runtime/state-tensor.ts';
import { relativeError } from '../../support/golden.ts';
import { valuesOf } from '../train/golden-case.ts';

const OUT = 6;
const R = 3;
const SETTINGS = {
  form: 'adamw_hf',
  beta1: 0.8,
  beta2: 0.95,
  epsilon: 1e-3,
  weightDecay: 0.1,
  maxGradNorm: 0.5,
} as const;

function draw(stream: number, length: number): Float32Array {
  const random = new Random(1, stream);
  return Float32Array.from({ length }, () => random.normal());
}

const projection = draw(9, R * R);

function options(changes: Partial<OptimizerOptions> = {}): OptimizerOptions {
  return {
    tensors: [
      { name: 'B', shape: [OUT, R], projection: 'P' },
      { name: 'plain', shape: [OUT] },
    ],
    weights: new Map<string, StateTensor>([
      ['B', new HostTensor([OUT, R], draw(1, OUT * R))],
      ['plain', new HostTensor([OUT], draw(2, OUT))],
    ]),
    projections: new Map([['P', projection]]),
    ...SETTINGS,
    session: { threads: 1 },
    ...changes,
  };
}

function setGradients(optimizer: Optimizer, step: number): void {
  optimizer.gradients.get('B')!.write(draw(100 + step, OUT * R));
  optimizer.gradients.get('plain')!.write(draw(200 + step, OUT));
}

async function steps(optimizer: Optimizer, from: number, to: number): Promise<void> {
  for (let step = from; step < to; step++) {
    setGradients(optimizer, step);
    await optimizer.step(0.01 * (step + 1), await optimizer.gradientNorm());
  }
}

/** LoRA-FA's update rule in float64, written from the reference's formula. */
function reference(count: number): { B: number[]; plain: number[] } {
  const { beta1, beta2, epsilon, weightDecay, maxGradNorm } = SETTINGS;
  const start = options().weights;
  const weights = { B: [...start.get('B')!.read()], plain: [...start.get('plain')!.read()] };
  const zeros = (): { B: number[]; plain: number[] } => ({
    B: weights.B.map(() => 0),
    plain: weights.plain.map(() => 0),
  });
  const [m, v] = [zeros(), zeros()];
  for (let step = 0; step < count; step++) {
    const gradients = { B: [...draw(100 + step, OUT * R)], plain: [...draw(200 + step, OUT)] };
    const norm = Math.hypot(...gradients.B, ...gradients.plain);
    const clip = Math.min(1, maxGradNorm / (norm + 1e-6));
    const rate = 0.01 * (step + 1);
    const t = step + 1;
    const size = (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
    const clipped = gradients.B.map((g) => g * clip);
    gradients.B = clipped.map((_, i) => {
      const [row, column] = [Math.floor(i / R), i % R];
      let sum = 0;
      for (let k = 0; k < R; k++) sum += clipped[row * R + k]! * projection[k * R + column]!;
      return sum;
    });
    gradients.plain = gradients.plain.map((g) => g * clip);
    for (const name of ['B', 'plain'] as const) {
      gradients[name].forEach((g, i) => {
        m[name][i] = beta1 * m[name][i]! + (1 - beta1) * g;
        v[name][i] = beta2 * v[name][i]! + (1 - beta2) * g * g;
        const moved = weights[name][i]! - (size * m[name][i]!) / (Math.sqrt(v[name][i]!) + epsilon);
        weights[name][i] = moved - rate * weightDecay * moved;
      });
    }
  }
  return weights;
}

describe('the optimizer', () => {
  test('clips, projects, updates and decays as the formula says', async () => {
    const given = options();
    const optimizer = await Optimizer.create(given);
    await steps(optimizer, 0, 5);
    const expected = reference(5);
    expect(relativeError(given.weights.get('B')!.read(), expected.B)).toBeLessThan(1e-5);
    expect(relativeError(given.weights.get('plain')!.read(), expected.plain)).toBeLessThan(1e-5);
    await optimizer.release();
  });

  test('goes on from its moments to the last bit', async () => {
    const [whole, first, second] = [options(), options(), options()];
    const uninterrupted = await Optimizer.create(whole);
    await steps(uninterrupted, 0, 6);
    const before = await Optimizer.create(first);
    await steps(before, 0, 3);
    const after = await Optimizer.create(second);
    for (const [name, tensor] of second.weights) tensor.write(first.weights.get(name)!.read());
    after.restore(valuesOf(before.moments), 3);
    await steps(after, 3, 6);
    expect(valuesOf(second.weights)).toEqual(valuesOf(whole.weights));
    expect(valuesOf(after.moments)).toEqual(valuesOf(uninterrupted.moments));
    for (const optimizer of [uninterrupted, before, after]) await optimizer.release();
  });

  test('measures the norm of all gradients together', async () => {
    const optimizer = await Optimizer.create(options());
    setGradients(optimizer, 0);
    const all = [...optimizer.gradients.values()].flatMap((gradient) => [...gradient.read()]);
    expect(await optimizer.gradientNorm()).toBeCloseTo(Math.hypot(...all), 5);
    optimizer.clearGradients();
    expect(await optimizer.gradientNorm()).toBe(0);
    await optimizer.release();
  });

  test('with a gradient of zero and no decay leaves the weights as they are', async () => {
    const given = options({ weightDecay: 0, maxGradNorm: 0 });
    const optimizer = await Optimizer.create(given);
    await optimizer.step(0.1, 0);
    expect(valuesOf(given.weights)).toEqual(valuesOf(options().weights));
    await optimizer.release();
  });

  test('without a limit does not clip', async () => {
    const [free, wide] = await Promise.all(
      [0, 1e9].map(async (maxGradNorm) => {
        const given = options({ maxGradNorm });
        const optimizer = await Optimizer.create(given);
        await steps(optimizer, 0, 1);
        const weights = valuesOf(given.weights);
        await optimizer.release();
        return weights;
      }),
    );
    expect(free).toEqual(wide);
  });
});
