import type { ResolvedConfig } from '../config/schema.ts';
import type { Batch } from '../data/batches.ts';
import { type BaseModel, openBaseModel } from '../models/base-model.ts';
import type { ProgressEvent } from '../plan/plan-reports.ts';
import { nf4Of, quantizationFor, weightProgress } from '../plan/run-model.ts';
import { bfloat16Problem } from '../runtime/bfloat16.ts';
import type { Device } from '../runtime/device.ts';
import { HostTensor } from '../runtime/host-tensor.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import type { BatchRunner } from '../step/batch-runner.ts';
import {
  COMPUTE_MODES,
  type ComputeMode,
  isBfloat16Mode,
  MAX_GRADIENT_ERROR,
} from '../weights/compute-mode.ts';
import { WeightStore } from '../weights/weight-store.ts';
import { modeOfCuda, requireMode } from './compute-device.ts';
import type { ComputeTrial } from './events.ts';

/** Runs of a batch that are timed, after one that warms up. */
const TIMED_RUNS = 2;

/** The base model in the mode that a run computes in. */
export interface ComputeChoice {
  readonly model: BaseModel;
  /** What `auto` measured; none where the mode was given. */
  readonly trials: readonly ComputeTrial[];
}

/** What a mode is chosen by. */
export interface ComputeQuestion {
  readonly device: Device;
  /** The mode that an earlier part of the run took. */
  readonly decided: ComputeMode | undefined;
  /** The first batch of the run. */
  readonly batch: Batch;
  /** The trained tensors' names, and tensors of their shapes. */
  readonly gradients: ReadonlyMap<string, Pick<StateTensor, 'shape'>>;
  /** What computes the run's gradients with a model. */
  open(model: BaseModel): Pick<BatchRunner, 'run' | 'release'>;
  readonly onEvent: (event: ProgressEvent) => void;
  /** Told why a device does not compute in the mode that it is to be had for. */
  readonly onFallback: (why: string) => void;
}

/**
 * The base as it was opened, or where the configuration says `auto` in the fastest mode whose
 * gradients of the first batch are within {@link MAX_GRADIENT_ERROR} of those in float32. A CUDA device
 * computes in bfloat16 if it can, WebGPU in float32; a run that goes on stays in its mode.
 *
 * @param base the model as it is opened for the configuration: for `auto`, as it is stored
 * @throws LorafaError as `openBaseModel`, for what goes wrong while it is measured, and
 * `device.unavailable` where the device cannot go on in the run's mode
 */
export async function chooseCompute(
  config: ResolvedConfig,
  base: BaseModel,
  question: ComputeQuestion,
): Promise<ComputeChoice> {
  const { engine } = config;
  const { device, onEvent, onFallback } = question;
  if (engine.compute !== 'auto') return { model: base, trials: [] };
  const decided =
    question.decided ?? (device.kind === 'cuda' ? await modeOfCuda(device, onFallback) : undefined);
  if (decided === undefined && device.kind !== 'cpu') return { model: base, trials: [] };
  const opened = new Map<string, BaseModel>();
  const modelOf = async (mode: ComputeMode): Promise<BaseModel> => {
    const quantization = quantizationFor(mode, nf4Of(config));
    if (quantization === undefined) return base;
    const { kind } = quantization;
    const model =
      opened.get(kind) ??
      (await openBaseModel(base.path, { quantization, ...weightProgress(onEvent) }));
    opened.set(kind, model);
    return { ...model, weights: new WeightStore(model.weights.tensors, mode) };
  };
  if (decided !== undefined) {
    if (question.decided !== undefined) await requireMode(decided, device);
    return { model: await modelOf(decided), trials: [] };
  }
  const trials = await measureModes(modelOf, question);
  return { model: await modelOf(fastest(trials)), trials };
}

/** The fastest of the modes that were exact enough to be timed. */
function fastest(trials: readonly ComputeTrial[]): ComputeMode {
  const timed = trials.toSorted((a, b) => (a.seconds ?? Infinity) - (b.seconds ?? Infinity));
  return timed[0]!.mode;
}

async function measureModes(
  modelOf: (mode: ComputeMode) => Promise<BaseModel>,
  { device, batch, gradients, open, onEvent }: ComputeQuestion,
): Promise<readonly ComputeTrial[]> {
  const trials: ComputeTrial[] = [];
  const hasBfloat16 = bfloat16Problem(device) === undefined;
  const modes = COMPUTE_MODES.filter((mode) => hasBfloat16 || !isBfloat16Mode(mode));
  const total = modes.length;
  let reference: Gradients | undefined;
  for (const mode of modes) {
    onEvent({ type: 'progress', task: 'measuring compute modes', done: trials.length, total });
    const runner = open(await modelOf(mode));
    const run = async (): Promise<Gradients> => {
      const sums = new Map(
        [...gradients].map(([name, { shape }]) => [name, new HostTensor(shape)]),
      );
      await runner.run(batch, 1 / batch.numSupervisedTokens, 0, sums);
      return new Map([...sums].map(([name, sum]) => [name, sum.read()]));
    };
    try {
      const found = await run();
      reference ??= found;
      const error = worstError(found, reference);
      const isExact = error <= MAX_GRADIENT_ERROR;
      trials.push({ mode, error, ...(isExact && { seconds: await shortestTime(run) }) });
    } finally {
      await runner.release();
    }
  }
  onEvent({ type: 'progress', task: 'measuring compute modes', done: total, total });
  return trials;
}

type Gradients = ReadonlyMap<string, Float32Array>;

async function shortestTime(run: () => Promise<unknown>): Promise<number> {
  let shortest = Infinity;
  for (let i = 0; i < TIMED_RUNS; i++) {
    const began = performance.now();
    await run();
    shortest = Math.min(shortest, (performance.now() - began) / 1000);
  }
  return shortest;
}

/** The largest distance of a gradient from its reference, relative to the reference's norm. */
function worstError(gradients: Gradients, reference: Gradients): number {
  const errors = [...reference].map(([name, expected]) => {
    const actual = gradients.get(name)!;
    const distance = norm(expected.map((number, i) => actual[i]! - number));
    return distance === 0 ? 0 : distance / norm(expected);
  });
  return Math.max(...errors);
}

function norm(numbers: Float32Array): number {
  return Math.sqrt(numbers.reduce((sum, number) => sum + number * number, 0));
}
