import { localProcesses } from '../accelerate/rank-commands.ts';
import type { Recompute } from '../architectures/decoder-graph.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { fetchInputs } from '../inputs/hub-inputs.ts';
import { type BaseModel, openBaseModel } from '../models/base-model.ts';
import { deviceForModel } from '../models/device-for-model.ts';
import { CPU, formatDevice, parseDevice } from '../runtime/device.ts';
import { type DeviceFacts, type DeviceSpeed, FACTS_OF_DRIVER } from '../runtime/device-facts.ts';
import { stepSpec } from '../step/step-spec.ts';
import { type TrainingShape, trainingGraph } from '../step/training-graph.ts';
import { COMPUTE_MODES } from '../weights/compute-mode.ts';
import type { Quantization } from '../weights/quantization.ts';
import type { PlannedWeights } from '../weights/weight-cache.ts';
import { type AccelerateQuestion, accelerateMemory } from './accelerate-memory.ts';
import { type DiskEstimate, estimateDisk } from './disk-estimate.ts';
import { chooseRecompute, estimateMemory, type MemoryEstimate, memoryLimit } from './memory.ts';
import { withPadding } from './padding-multiple.ts';
import { countParameters, type ParameterCount } from './parameter-count.ts';
import type { PaddingReport, ProgressEvent, SplitReport } from './plan-reports.ts';
import { planTrainee } from './planned-trainee.ts';
import { requirePositions } from './position-limit.ts';
import { loadRunData } from './run-data.ts';
import { answeringModel, quantizationFor, quantizationOf } from './run-model.ts';
import { planRun } from './run-plan.ts';
import { runQuestion } from './run-question.ts';
import { loadRunTokenizer } from './run-tokenizer.ts';
import { leastSeconds } from './step-time.ts';
import { requireTransformers } from './transformers-limit.ts';

/** How large a batch is. */
export interface BatchSize {
  readonly rows: number;
  /** Tokens of each row, padding included. */
  readonly length: number;
}

/** What a run would take, from its real model and its real data, without starting it. */
export interface RunEstimate {
  readonly model: string;
  /**
   * What it is for: the named device, or the one that `auto` takes on this machine now; absent where Accelerate
   * finds one for itself.
   */
  readonly device?: string;
  readonly parameters: ParameterCount;
  readonly train: SplitReport;
  /** Absent where the run has no evaluation. */
  readonly evaluation?: SplitReport;
  readonly stepsPerEpoch: number;
  /** Optimizer steps of the whole run. */
  readonly steps: number;
  readonly padding: PaddingReport;
  /** The batch that needs the most memory. */
  readonly largestBatch: BatchSize;
  /** The same of an evaluation; absent where the run has none. */
  readonly largestEvaluationBatch?: BatchSize;
  /** As the run would choose it now. */
  readonly gradientCheckpointing: Recompute;
  /** `engine.compute`; on a CPU, a run with `auto` tries all modes first, so that the largest one counts. */
  readonly compute: ResolvedConfig['engine']['compute'];
  /** Bytes; of each process, where there are {@link processes}. */
  readonly memory: MemoryEstimate;
  /**
   * Processes of Accelerate that share the run, each with the whole model or its part of it
   * (`accelerate.distributed_type`); absent where this engine computes it. What PyTorch takes is an estimate, by what was
   * seen of a Llama.
   */
  readonly processes?: number;
  /** Bytes that the run may use: `engine.max_memory_gib`, or what the device can give now; absent where nobody tells. */
  readonly memoryLimit?: number;
  /**
   * Seconds that the largest step takes at least, an estimate from its arithmetic and memory traffic at the device's peak;
   * absent where the device does not tell that.
   */
  readonly leastStepSeconds?: number;
  /** Absent where nothing is to be written before the first step. */
  readonly disk?: DiskEstimate;
  /** Sentences about rows that were cut or left out. */
  readonly warnings: readonly string[];
}

/**
 * Estimates a run as `train` would do it: every row is tokenized, nothing is computed or written. Of
 * weights on the Hub only the headers are fetched.
 *
 * @param given as `withConfigFile` leaves it
 * @param facts of this machine; unless given, `auto` is the CPU
 * @throws LorafaError for anything that is wrong with model, adapter or data
 */
export async function estimateRun(
  given: ResolvedConfig,
  onEvent: (event: ProgressEvent) => void = () => undefined,
  facts: DeviceFacts = { ...FACTS_OF_DRIVER, auto: async () => CPU },
): Promise<RunEstimate> {
  const { config: fetched, heads } = await fetchInputs(given, {
    headsOnly: true,
    onDownload: (state) => onEvent({ type: 'progress', ...state }),
  });
  const { backend, device: setting, compute } = fetched.engine;
  const isHere = backend === 'onnxruntime';
  // One that was named may be another machine's.
  const named = setting === 'auto' ? () => facts.auto(compute) : () => parseDevice(setting);
  const found = isHere ? await named() : CPU;
  const config = withPadding(fetched, found);
  const planned: PlannedWeights[] = [];
  const open = (quantization: Quantization | undefined): Promise<BaseModel> =>
    openBaseModel(config.model.base_model_name_or_path, {
      ...{ quantization, heads },
      headersOnly: true,
      onPlanned: (weights) => planned.push(weights),
    });
  const model = await open(quantizationOf(config, found));
  const device = await deviceForModel(setting, found, () => model);
  requirePositions(config, model);
  requireTransformers(config, model);
  const answering = answeringModel(config, model) ?? (await open(undefined));
  const trainee = await planTrainee(config, model);
  const tokenizer = await loadRunTokenizer(config, model);
  const data = await loadRunData(config, tokenizer, onEvent);
  const plan = planRun(config, data);
  const question = {
    ...stepSpec(config, model, trainee),
    device,
    ...runQuestion(config, { plan, evaluation: data.evaluation, tokenizer, answering }),
  };
  const common = {
    model: model.name,
    parameters: countParameters(model.config, trainee.modules, trainee.trainable),
    train: data.trainReport,
    ...(data.evalReport !== undefined && { evaluation: data.evalReport }),
    stepsPerEpoch: plan.stepsPerEpoch,
    steps: plan.maxSteps,
    padding: plan.padding,
    largestBatch: sizeOf(question.shape),
    ...(question.evaluation && { largestEvaluationBatch: sizeOf(question.evaluation.shape) }),
    warnings: data.warnings,
  };
  if (!isHere) {
    const available = await facts.availableMemory(device);
    return { ...common, ...onAccelerate(config, { ...question, trainee }, available) };
  }
  const limit = memoryLimit(config.engine, await facts.availableMemory(device));
  const recompute = chooseRecompute(config, question, limit);
  const isMeasured = config.engine.compute === 'auto' && device.kind === 'cpu';
  const tried = isMeasured ? COMPUTE_MODES.filter((mode) => mode !== 'float32') : [];
  const others = tried.map((mode) => open(quantizationFor(mode, undefined)));
  const models = [model, ...(await Promise.all(others))];
  const memory = models
    .map((model) => estimateMemory({ ...question, model, recompute }))
    .reduce((a, b) => (a.total > b.total ? a : b));
  const disk = await estimateDisk(planned);
  const speed = facts.speed(device);
  const stepSeconds = (speed: DeviceSpeed): number =>
    config.training.gradient_accumulation_steps *
    leastSeconds(trainingGraph({ ...question, recompute }), speed, config.engine.tf32);
  return {
    ...common,
    device: formatDevice(device),
    gradientCheckpointing: recompute,
    compute: config.engine.compute,
    memory,
    ...(limit !== undefined && { memoryLimit: limit }),
    ...(speed !== undefined && { leastStepSeconds: stepSeconds(speed) }),
    ...(disk !== undefined && { disk }),
  };
}

/** What depends on who computes, where that is Accelerate. */
function onAccelerate(
  config: ResolvedConfig,
  question: Omit<AccelerateQuestion, 'isOnCpu'>,
  available: number | undefined,
): Pick<
  RunEstimate,
  'device' | 'gradientCheckpointing' | 'compute' | 'memory' | 'processes' | 'memoryLimit'
> {
  const { num_processes: processes, mixed_precision } = config.accelerate;
  // What PyTorch finds otherwise, and how much that has, is known to Python alone.
  const isOnCpu = config.engine.device === 'cpu';
  return {
    gradientCheckpointing: config.training.gradient_checkpointing === 'layer' ? 'layer' : 'none',
    compute: mixed_precision === 'bf16' ? 'bfloat16' : 'float32',
    memory: accelerateMemory(config, { ...question, isOnCpu }),
    processes,
    ...(isOnCpu && { device: formatDevice(CPU) }),
    ...(isOnCpu && available !== undefined && { memoryLimit: available / localProcesses(config) }),
  };
}

function sizeOf({ rows, length }: TrainingShape): BatchSize {
  return { rows, length };
}
