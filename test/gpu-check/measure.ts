import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ResolvedConfig } from '../../engine/config/schema.ts';
import { median } from '../../engine/median.ts';
import type { BaseModel } from '../../engine/models/base-model.ts';
import type { Optimizer } from '../../engine/optim/optimizer.ts';
import { estimateMemory } from '../../engine/plan/memory.ts';
import { trafficBytes } from '../../engine/plan/step-time.ts';
import { CPU, type Device, formatDevice } from '../../engine/runtime/device.ts';
import { deviceMemory } from '../../engine/runtime/device-memory.ts';
import { trainingGraph } from '../../engine/step/training-graph.ts';
import { runDemo } from '../../server/demo/demo.ts';
import { modelFlops } from '../bench/model-flops.ts';
import { runConfig } from '../bench/run-config.ts';
import { deviceCounters, shareOnTensorCores } from '../fake-cuda/counters.ts';
import { PRODUCTS_LIBRARY, RUNTIME_LIBRARY } from '../fake-cuda/fake-cuda.ts';
import { spelledOutStep } from '../support/spelled-out-step.ts';
import type { ParityCase, StepCase } from './cases.ts';
import { matmulFlops } from './matmul-flops.ts';
import { tellPlacement } from './placement.ts';
import type { DemoCheck, ParityResult, StepResult } from './results.ts';
import { sparseModel } from './sparse-model.ts';
import { TrainingStep } from './training-step.ts';

/** What a process that measures is asked for, as JSON in its first argument. */
export interface MeasureRequest {
  readonly step?: StepCase;
  readonly parity?: ParityCase;
  readonly demo?: true;
  /** False on the stand-in, which computes nothing. */
  readonly hasValues: boolean;
}

const CUDA: Device = { kind: 'cuda', index: 0 };

/** Steps before those that are measured: the first one captures. */
const WARM_UP = 2;
const MEASURED = 3;
/** On a real device, where time is measured. */
const TIMED = 10;

/** By how much more prompts are completed right after the demo, as its own test has it. */
const LEARNED = 0.5;

/**
 * How far sums of float32 may be apart on two devices, TF32 off; and what comes of it where sums are rounded to
 * bfloat16, some of them to the other side. Adam makes as large a step of a small gradient as of a large one, so that
 * trained tensors are further apart after all steps; in bfloat16 one step alone is compared, which has none.
 */
const TOLERANCE = {
  float32: { loss: 1e-4, gradient: 1e-3, weight: 1e-2 },
  bfloat16: { loss: 1e-3, gradient: 1e-2, weight: 0 },
};

/** The part of a {@link StepResult} that a process of its own measures; where nodes are placed it tells on stderr. */
export type MeasuredStep = Omit<StepResult, 'name' | 'nodes_on_device' | 'nodes_total'>;

export async function measure(
  request: MeasureRequest,
): Promise<MeasuredStep | Omit<ParityResult, 'name'> | Omit<DemoCheck, 'name'>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'lorafa-gpu-check-'));
  try {
    if (request.parity !== undefined) {
      return await measureParity(request.parity, request.hasValues, folder);
    }
    return request.step === undefined
      ? await measureDemo(request.hasValues, folder)
      : await measureStep(request.step, request.hasValues, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function configOf({ settings }: StepCase, folder: string) {
  const data = path.join(folder, 'no-data.jsonl');
  return runConfig(settings, { model: folder, data, output: path.join(folder, 'no-run') });
}

async function measureStep(
  step: StepCase,
  hasValues: boolean,
  folder: string,
): Promise<MeasuredStep> {
  const model = await sparseModel(folder, { ...step, hasValues });
  const config = configOf(step, folder);
  const training = await TrainingStep.open({ ...step, config, model, device: CUDA });
  for (let i = 0; i < WARM_UP; i++) await training.run();
  for (const notice of training.notices) process.stderr.write(`${notice}\n`);
  const counted = hasValues ? await timed(training, step) : await countedSteps(training);
  const graph = trainingGraph(training.graph);
  await training.release();
  await tellPlacement(graph, CUDA, model.weights.files().folder);
  const planned = estimateMemory(training.graph);
  return { ...counted, planned_bytes: planned.total, traffic_bytes: trafficBytes(graph) };
}

type Counted = Omit<MeasuredStep, 'planned_bytes' | 'traffic_bytes'>;

async function countedSteps(training: TrainingStep): Promise<Counted> {
  const { read } = deviceCounters(RUNTIME_LIBRARY);
  const before = read();
  for (let i = 0; i < MEASURED; i++) await training.run();
  const after = read();
  const perStep = (name: keyof typeof after): number => (after[name] - before[name]) / MEASURED;
  return {
    bytes_up_per_step: perStep('bytesUp'),
    bytes_down_per_step: perStep('bytesDown'),
    peak_bytes: after.peak,
    launches_per_step: perStep('launches'),
    graph_launches_per_step: perStep('graphLaunches'),
    share_on_tensor_cores: shareOnTensorCores(PRODUCTS_LIBRARY),
  };
}

async function timed(training: TrainingStep, { rows, length }: StepCase): Promise<Counted> {
  const times: number[] = [];
  for (let i = 0; i < TIMED; i++) {
    const began = performance.now();
    await training.run();
    times.push(performance.now() - began);
  }
  const { free, total } = (await deviceMemory(CUDA))!;
  const stepMs = median(times);
  const { config } = training.graph.model;
  const flops = modelFlops(config, training.trainee.modules, { rows, length });
  return {
    peak_bytes: total - free,
    step_ms: stepMs,
    tokens_per_second: (rows * length) / (stepMs / 1000),
    share_of_matmul_peak: flops / (stepMs / 1000) / (await matmulFlops(CUDA)),
  };
}

/** The demo as it is shipped, on the device. */
async function measureDemo(hasValues: boolean, folder: string): Promise<Omit<DemoCheck, 'name'>> {
  const { before_accuracy, after_accuracy, seconds } = await runDemo({
    configFile: path.resolve('media', 'demo', 'demo.lorafa.json'),
    outputDir: path.join(folder, 'demo'),
    device: formatDevice(CUDA),
    report: {
      write: (text) => void process.stderr.write(text),
      columns: undefined,
      now: () => performance.now() / 1000,
    },
  });
  if (!hasValues) return { seconds };
  const is_learned = after_accuracy - before_accuracy >= LEARNED;
  return { seconds, before_accuracy, after_accuracy, is_learned };
}

async function measureParity(
  parity: ParityCase,
  hasValues: boolean,
  folder: string,
): Promise<Omit<ParityResult, 'name'>> {
  const { steps } = parity;
  const model = await sparseModel(folder, { ...parity, hasValues: true });
  const config = configOf(parity, folder);
  const onCuda = await TrainingStep.open({ ...parity, config, model, device: CUDA });
  const expected =
    parity.compute === 'bfloat16'
      ? await spelledOutCourse(onCuda, parity, config, model)
      : await course(await TrainingStep.open({ ...parity, config, model, device: CPU }), steps);
  const found = await course(onCuda, steps);
  if (!hasValues) return { steps };
  const loss_error = Math.max(
    ...expected.losses.map((loss, i) => Math.abs(found.losses[i]! - loss) / Math.abs(loss)),
  );
  const gradient_error = furthest(found.gradients, expected.gradients);
  const weight_error = expected.weights && furthest(found.weights!, expected.weights);
  const tolerance = TOLERANCE[parity.compute === 'bfloat16' ? 'bfloat16' : 'float32'];
  const is_equal =
    loss_error <= tolerance.loss &&
    gradient_error <= tolerance.gradient &&
    (weight_error ?? 0) <= tolerance.weight;
  return {
    ...{ steps, loss_error, gradient_error },
    ...(weight_error !== undefined && { weight_error }),
    is_equal,
  };
}

type Values = ReadonlyMap<string, Float32Array>;

/** The largest distance of a tensor. */
function furthest(found: Values, expected: Values): number {
  return Math.max(...[...expected].map(([name, values]) => distance(found.get(name)!, values)));
}

interface CourseOfSteps {
  readonly losses: readonly number[];
  /** Of the first step. */
  readonly gradients: Values;
  /** What is trained, after the last step. */
  readonly weights?: Values;
}

/** The first step alone, by what CUDA's kernels promise of products in bfloat16. */
async function spelledOutCourse(
  { graph, batch }: TrainingStep,
  parity: ParityCase,
  config: ResolvedConfig,
  model: BaseModel,
): Promise<CourseOfSteps> {
  const onCpu = await TrainingStep.open({ ...parity, config, model, device: CPU });
  const scale = 1 / batch.numSupervisedTokens;
  const { loss, gradients } = await spelledOutStep(graph, onCpu.trainee.tensors, batch, scale);
  await onCpu.release();
  return { losses: [loss], gradients };
}

async function course(training: TrainingStep, steps: number): Promise<CourseOfSteps> {
  const losses: number[] = [];
  let gradients: CourseOfSteps['gradients'] = new Map();
  for (let step = 0; step < steps; step++) {
    losses.push(await training.run());
    if (step > 0) continue;
    gradients = valuesOf(training.optimizer.gradients);
  }
  const { trainable, tensors } = training.trainee;
  const weights = valuesOf(new Map(trainable.map(({ name }) => [name, tensors.get(name)!])));
  await training.release();
  return { losses, gradients, weights };
}

function valuesOf(tensors: Optimizer['gradients']): Values {
  return new Map([...tensors].map(([name, tensor]) => [name, Float32Array.from(tensor.read())]));
}

/** Relative to the norm of what was expected. */
function distance(found: Float32Array, expected: Float32Array): number {
  let [squares, all] = [0, 0];
  expected.forEach((value, i) => {
    squares += (found[i]! - value) ** 2;
    all += value ** 2;
  });
  return squares === 0 ? 0 : Math.sqrt(squares / all);
}
