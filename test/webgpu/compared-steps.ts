import { readFile } from 'node:fs/promises';
import { parseConfig } from '../../engine/config/parse.ts';
import type { ConfigInput } from '../../engine/config/schema.ts';
import { openRunModel } from '../../engine/plan/run-model.ts';
import { CPU, type Device } from '../../engine/runtime/device.ts';
import { TrainingStep } from '../gpu-check/training-step.ts';
import { relativeError } from '../support/golden.ts';

/** Steps that are computed on both devices. */
export interface StepsCase {
  readonly name: string;
  /** Folder of the model. */
  readonly model: string;
  readonly steps: number;
  /** How its weights are stored. */
  readonly quantized?: Partial<ConfigInput['model']>;
  readonly lora?: ConfigInput['lora'];
  readonly data?: Partial<ConfigInput['data']>;
  readonly training?: Partial<ConfigInput['training']>;
}

/** How far WebGPU is from the CPU. */
export interface ComparedSteps {
  readonly name: string;
  /** Losses of the CPU. */
  readonly losses: readonly number[];
  /** Largest relative difference of a loss. */
  readonly loss: number;
  /** The tensor whose gradient is furthest off after the first step, and how far. */
  readonly gradient: { readonly name: string; readonly error: number };
  /** The same of the trained tensors after the last. */
  readonly weight: { readonly name: string; readonly error: number };
  /** What of the graphs the CPU computes. */
  readonly onCpu: readonly string[];
}

const WEBGPU: Device = { kind: 'webgpu', index: 0 };

/*
 * Computes steps on the CPU and with WebGPU. The argument is a file with a list of cases; prints a line of JSON for
 * each. One process for all: shaders are compiled once a process.
 */
const cases = JSON.parse(await readFile(process.argv[2]!, 'utf8')) as readonly StepsCase[];
for (const item of cases) {
  process.stdout.write(`${JSON.stringify(await compared(item))}\n`);
}

async function compared(item: StepsCase): Promise<ComparedSteps> {
  const cpu = await computed(item, CPU);
  const webgpu = await computed(item, WEBGPU);
  const losses = cpu.losses.map((loss, step) => Math.abs(webgpu.losses[step]! / loss - 1));
  return {
    name: item.name,
    losses: cpu.losses,
    loss: Math.max(...losses),
    gradient: furthest(webgpu.gradients, cpu.gradients),
    weight: furthest(webgpu.weights, cpu.weights),
    onCpu: webgpu.notices,
  };
}

type Values = ReadonlyMap<string, Float32Array>;

function furthest(actual: Values, expected: Values): ComparedSteps['gradient'] {
  let worst = { name: '', error: -1 };
  for (const [name, values] of expected) {
    const error = relativeError(actual.get(name)!, values);
    if (error > worst.error) worst = { name, error };
  }
  return worst;
}

async function computed(item: StepsCase, device: Device) {
  const text = JSON.stringify({
    model: { base_model_name_or_path: item.model, ...item.quantized },
    data: { dataset_name_or_path: 'rows.jsonl', ...item.data },
    lora: { r: 4, target_modules: 'all-linear', ...item.lora },
    training: { output_dir: 'run', learning_rate: 1e-3, ...item.training },
    engine: { intra_op_num_threads: 1 },
  });
  const config = parseConfig(text, 'run.lorafa.json');
  const model = await openRunModel(config, () => undefined);
  const shape = { rows: 2, length: 16 };
  const step = await TrainingStep.open({ config, model, device, captures: false, ...shape });
  const losses = [await step.run()];
  const gradients = valuesOf(step.optimizer.gradients);
  while (losses.length < item.steps) losses.push(await step.run());
  const weights = valuesOf(
    new Map(step.trainee.trainable.map(({ name }) => [name, step.trainee.tensors.get(name)!])),
  );
  const notices = [...step.notices];
  await step.release();
  return { losses, gradients, weights, notices };
}

function valuesOf(tensors: TrainingStep['optimizer']['gradients']): Values {
  return new Map([...tensors].map(([name, tensor]) => [name, Float32Array.from(tensor.read())]));
}
