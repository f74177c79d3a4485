import { describe, expect, test } from 'vitest';
import { gradients } from '../../../engine/graph/autodiff.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { numElements } from '../../../engine/graph/dim.ts';
import { isFloating } from '../../../engine/graph/dtype.ts';
import type { OpName, SampleInput } from '../../../engine/graph/op.ts';
import { opTable } from '../../../engine/graph/ops/table.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import type { Value } from '../../../engine/graph/value.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { type HostDType, type TypedArray, typedArray } from '../../../engine/runtime/tensor.ts';

/** Deterministic numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

const TOLERANCE = 1e-5;

/**
 * Inputs are tried in float64, so that central differences are exact enough. An op that only knows
 * float32 is linear, unless its sample says how differences are taken: there, they are exact for any
 * step, and a large one drowns the rounding.
 */
const STEP = { float64: 1e-5, float32: 1 };

function sampleType({ dtype = 'float64' }: SampleInput): HostDType {
  return dtype as HostDType;
}

/** Whether an op has a gradient for one of its inputs. */
function hasGradient(op: OpName, { dtype }: Value, index: number): boolean {
  const { vjp } = opTable[op];
  return isFloating(dtype) && (typeof vjp === 'function' || vjp[index] !== null);
}

function draw(input: SampleInput, random: () => number): number[] {
  const { from = -1, to = 1 } = input;
  return Array.from({ length: Number(numElements(input.shape)) }, () => {
    if (input.dtype === 'bool') return random() < 0.5 ? 0 : 1;
    const number = from + (to - from) * random();
    return isFloating(sampleType(input)) ? number : Math.round(number);
  });
}

/**
 * loss = Σ op(x) ⊙ w with random w: compares Σ d loss/d x · direction with the central difference
 * of the loss along that direction, for all floating inputs at once.
 */
async function relativeError<K extends OpName>(op: K, sampleIndex: number): Promise<number> {
  const sample = opTable[op].samples[sampleIndex]!;
  const random = generator(1 + sampleIndex);
  const builder = new GraphBuilder();
  const inputs = sample.inputs.map((input, i) =>
    builder.input(`x${i}`, sampleType(input), input.shape),
  );
  const result = builder.cast(builder.apply(op, inputs, sample.attributes), 'float64');
  const weight = builder.input('weight', 'float64', result.shape);
  const product = builder.mul(result, weight);
  const loss = builder.reduceSum(
    product,
    product.shape.map((_, axis) => axis),
  );
  const varied = inputs.filter((input, i) => hasGradient(op, input, i));
  const grads = gradients(builder, loss, varied);
  const outputs: Record<string, Value> = { loss };
  for (const x of varied) outputs[`grad ${x.name}`] = grads.get(x)!;
  const session = await Session.create(removeDeadCode(builder.finish(outputs)));

  const at = sample.inputs.map((input) => draw(input, random));
  const direction = sample.inputs.map((input, i) =>
    draw({ shape: input.shape }, random).map((d) => (hasGradient(op, inputs[i]!, i) ? d : 0)),
  );
  const weights = draw({ shape: result.shape.map(Number) }, random);
  const feeds = (step: number): Record<string, TypedArray> => {
    const entries = inputs.map((input, i): [string, TypedArray] => {
      const moved = at[i]!.map((x, j) => x + step * direction[i]![j]!);
      return [input.name, typedArray(input.dtype as HostDType, moved)];
    });
    return { ...Object.fromEntries(entries), weight: typedArray('float64', weights) };
  };
  const lossAt = async (step: number): Promise<number> =>
    Number((await session.run(feeds(step)))['loss']!.data[0]);

  const here = await session.run(feeds(0));
  let analytic = 0;
  inputs.forEach((input, i) => {
    const gradient = here[`grad ${input.name}`];
    gradient?.data.forEach((g, j) => {
      analytic += Number(g) * direction[i]![j]!;
    });
  });
  const usual = STEP[varied[0]!.dtype === 'float32' ? 'float32' : 'float64'];
  const step = sample.differences?.step ?? usual;
  const numeric = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
  await session.release();
  return Math.abs(analytic - numeric) / Math.max(1e-3, Math.abs(numeric));
}

const differentiable = (Object.keys(opTable) as OpName[]).filter(
  (op) => typeof opTable[op].vjp !== 'string',
);

describe('vector-Jacobian products agree with central differences', () => {
  for (const op of differentiable) {
    test(op, async () => {
      expect(opTable[op].samples.length).toBeGreaterThanOrEqual(3);
      for (let i = 0; i < opTable[op].samples.length; i++) {
        const { tolerance = TOLERANCE } = opTable[op].samples[i]!.differences ?? {};
        expect(await relativeError(op, i), `sample ${i}`).toBeLessThan(tolerance);
      }
    });
  }
});
