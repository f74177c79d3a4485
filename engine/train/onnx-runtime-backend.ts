import type { Recompute } from '../architectures/decoder-graph.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { type Batch, plannedBatch } from '../data/batches.ts';
import { withWebgpuOps } from '../graph/passes/webgpu-ops.ts';
import type { BaseModel } from '../models/base-model.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { bytesKept, chooseRecompute, type MemoryQuestion, memoryLimit } from '../plan/memory.ts';
import { withPadding } from '../plan/padding-multiple.ts';
import { openGenerationModel, quantizationOf } from '../plan/run-model.ts';
import { runQuestion } from '../plan/run-question.ts';
import { CudaMemory } from '../runtime/cuda-memory.ts';
import { type Device, formatDevice } from '../runtime/device.ts';
import { FACTS_OF_RUNTIME } from '../runtime/device-memory.ts';
import { requireBuffers } from '../runtime/largest-buffer.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { requireKernels } from '../runtime/webgpu-kernels.ts';
import { BatchRunner, type BatchRunnerOptions } from '../step/batch-runner.ts';
import { evaluationSpec, stepSpec } from '../step/step-spec.ts';
import { type TrainingGraphOptions, trainingGraph } from '../step/training-graph.ts';
import { describeQuantized } from '../weights/quantization.ts';
import { restoreOptimizer } from './checkpoint.ts';
import { chooseCompute } from './compute-choice.ts';
import { chooseComputeDevice, uploadProgress } from './compute-device.ts';
import { createOptimizer } from './create-optimizer.ts';
import { lossWith } from './evaluate.ts';
import { runEnvironment } from './identity.ts';
import { createSampler } from './prompt-sampler.ts';
import { createTrainee, type Trainee } from './trainee.ts';
import type {
  BackendChoice,
  BackendParts,
  BackendQuestion,
  BackendStep,
  OpenBackend,
  StepResult,
  TrainingBackend,
} from './training-backend.ts';

/**
 * ONNX Runtime on the device of a configuration.
 *
 * @throws LorafaError `device.unavailable`
 */
export async function chooseOnnxRuntime(
  given: ResolvedConfig,
  { padding }: BackendQuestion,
): Promise<BackendChoice> {
  const notices = new Set<string>();
  const device = await chooseComputeDevice(given, (why) => void notices.add(why));
  const config = withPadding(given, device, padding);
  // Before anything of the run is there.
  const limit = memoryLimit(config.engine, await FACTS_OF_RUNTIME.availableMemory(device));
  return {
    config,
    environment: runEnvironment(config, device),
    open: (parts) => openOnnxRuntime(config, { device, limit, notices }, parts),
    release: async () => undefined,
  };
}

/** A device that was chosen for a run. */
interface ChosenDevice {
  readonly device: Device;
  /** Bytes that the run may use there; undefined where nobody tells. */
  readonly limit: number | undefined;
  /** What there is to say of the choice, to which comes what the run has to say. */
  readonly notices: Set<string>;
}

async function openOnnxRuntime(
  config: ResolvedConfig,
  { device, limit, notices }: ChosenDevice,
  { base, tokenizer, plan, evaluation, start, onEvent }: BackendParts,
): Promise<OpenBackend> {
  if (limit === undefined && config.training.gradient_checkpointing === 'auto') {
    notices.add(
      `How much memory ${formatDevice(device)} has is not known, so that all of a layer is computed again that can be, as with training.gradient_checkpointing "layer"; set engine.max_memory_gib to have it chosen by memory.`,
    );
  }
  const session: SessionOptions = {
    device,
    threads: config.engine.intra_op_num_threads,
    onUpload: uploadProgress(device, onEvent),
    onUncaptured: (why) => void notices.add(uncaptured('Steps', why)),
    onComputedByCpu: (what) => void notices.add(what),
  };
  const trainee = await createTrainee(config, base, { device, checkpoint: start.checkpoint });
  const answering = await openGenerationModel(config, base, onEvent);
  const work = runQuestion(config, { plan, evaluation, tokenizer, answering });
  if (device.kind === 'cuda' && config.engine.max_memory_gib !== undefined) {
    const stepped = { ...stepSpec(config, plannedModel(config, base, device), trainee), device };
    CudaMemory.of(device).keepFromSessions(bytesKept({ ...stepped, ...work }));
  }
  const optimizer = await createOptimizer(config, trainee, session);
  if (start.checkpoint !== undefined) {
    await restoreOptimizer(start.checkpoint, optimizer, start.state.global_step);
  }
  const stepOf = (model: BaseModel): BatchRunnerOptions & { readonly recompute: Recompute } => {
    const spec = stepSpec(config, model, trainee);
    return {
      ...spec,
      recompute: chooseRecompute(config, { ...spec, ...work, device }, limit),
      tensors: trainee.tensors,
      session: {
        ...session,
        tf32: config.engine.tf32,
        weightsFolder: model.weights.files().folder,
      },
    };
  };
  const first = await plan.window(0, 0);
  const { model, trials } = await chooseCompute(config, base, {
    device,
    decided: start.state.compute,
    batch: plannedBatch(first.steps[0]![0]!, first.examples, tokenizer.padId),
    gradients: optimizer.gradients,
    open: (model) => new BatchRunner(stepOf(model)),
    onEvent,
    onFallback: (why) => void notices.add(why),
  });
  const options = stepOf(model);
  requireComputable({ ...options, ...work, device });
  return {
    backend: new OnnxRuntimeBackend(trainee, optimizer, options, {
      ...evaluationSpec(options),
      recompute: 'none',
      session: {
        ...options.session,
        onUncaptured: (why) => void notices.add(uncaptured('Evaluations', why)),
      },
    }),
    sampler: createSampler(config, { model: answering, tokenizer, trainee, session }),
    summary: {
      device: formatDevice(device),
      gradientCheckpointing: options.recompute,
      compute: model.weights.compute,
      ...(trials.length > 0 && { computeTrials: trials }),
    },
    chosen: config.engine.compute === 'auto' ? model.weights.compute : undefined,
    notices,
  };
}

/** The base as steps on a CUDA device compute with it, where that is not decided before. */
function plannedModel(config: ResolvedConfig, base: BaseModel, device: Device): BaseModel {
  const quantization =
    config.engine.compute === 'auto' ? quantizationOf(config, device) : undefined;
  return quantization === undefined ? base : describeQuantized(base, quantization);
}

function uncaptured(what: 'Steps' | 'Evaluations', why: string): string {
  return `${what} are not captured as CUDA graphs, since ${why}; they are computed all the same, launch by launch.`;
}

/**
 * Makes sure that WebGPU has kernels for the steps and buffers for the largest batches, before the first one is computed.
 *
 * @throws LorafaError `device.unavailable`
 */
function requireComputable(
  question: TrainingGraphOptions & Pick<MemoryQuestion, 'evaluation'> & { readonly device: Device },
): void {
  const { device, evaluation } = question;
  if (device.kind !== 'webgpu') return;
  const steps = withWebgpuOps(trainingGraph(question));
  requireKernels(steps, device);
  requireBuffers(steps, device);
  if (evaluation === undefined) return;
  const { shape } = evaluation;
  const graph = trainingGraph({ ...evaluationSpec(question), shape, recompute: 'none' });
  requireBuffers(withWebgpuOps(graph), device);
}

/** Steps in this process. */
class OnnxRuntimeBackend implements TrainingBackend {
  readonly batchesAtOnce = 1;
  readonly trainee: Trainee;
  readonly #optimizer: Optimizer;
  readonly #runner: BatchRunner;
  readonly #evaluator: BatchRunner;

  constructor(
    trainee: Trainee,
    optimizer: Optimizer,
    steps: BatchRunnerOptions,
    evaluations: BatchRunnerOptions,
  ) {
    this.trainee = trainee;
    this.#optimizer = optimizer;
    this.#runner = new BatchRunner(steps);
    this.#evaluator = new BatchRunner(evaluations);
  }

  get moments(): TrainingBackend['moments'] {
    return this.#optimizer.moments;
  }

  async step({ batches, dropoutSeeds, learningRate }: BackendStep): Promise<StepResult> {
    const optimizer = this.#optimizer;
    const supervised = batches.reduce((sum, batch) => sum + batch.numSupervisedTokens, 0);
    optimizer.clearGradients();
    let loss = 0;
    for (const [index, batch] of batches.entries()) {
      const seed = dropoutSeeds[index]!;
      loss += await this.#runner.run(batch, 1 / supervised, seed, optimizer.gradients);
    }
    const gradientNorm = await optimizer.gradientNorm();
    if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
      await optimizer.step(learningRate, gradientNorm);
    }
    return { loss, gradientNorm };
  }

  lossOf(batches: readonly Batch[]): Promise<number> {
    return lossWith(this.#evaluator, batches);
  }

  /** Trainee and optimizer read their tensors where they are. */
  async fetch(): Promise<void> {}

  async release(): Promise<void> {
    await this.#runner.release();
    await this.#evaluator.release();
    this.trainee.release();
    await this.#optimizer.release();
  }
}
