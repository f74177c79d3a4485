import type { ResolvedConfig } from '../config/schema.ts';
import { openBaseModel } from '../models/base-model.ts';
import type { Recompute } from '../models/decoder.ts';
import { loadTokenizer } from '../tokenizer.ts';
import type { PaddingReport, ProgressEvent, SplitReport } from '../train/events.ts';
import { loadRunData } from '../train/run-data.ts';
import { quantizationOf } from '../train/run-model.ts';
import { planRun } from '../train/run-plan.ts';
import { chooseRecompute, estimateMemory, type MemoryEstimate, memoryLimit } from './memory.ts';
import { countParameters, type ParameterCount } from './parameter-count.ts';
import { planTrainee } from './planned-trainee.ts';

/** What a run would take, from its real model and its real data, without starting it. */
export interface RunEstimate {
  readonly model: string;
  readonly parameters: ParameterCount;
  readonly train: SplitReport;
  /** Absent where the run has no evaluation. */
  readonly evaluation?: SplitReport;
  readonly stepsPerEpoch: number;
  /** Optimizer steps of the whole run. */
  readonly steps: number;
  readonly padding: PaddingReport;
  /** The batch that needs the most memory: rows, and tokens of each. */
  readonly largestBatch: { readonly rows: number; readonly length: number };
  /** As the run would choose it now. */
  readonly gradientCheckpointing: Recompute;
  /** `engine.compute`; `auto`, which only a run decides, is estimated as float32. */
  readonly compute: ResolvedConfig['engine']['compute'];
  /** Bytes. */
  readonly memory: MemoryEstimate;
  /** Bytes that the run may use: `engine.max_memory_gib`, or what the machine can give now. */
  readonly memoryLimit: number;
  /** Sentences about rows that were cut or left out. */
  readonly warnings: readonly string[];
}

/**
 * Estimates a run as `train` would do it: every row is tokenized, nothing is computed or written.
 *
 * @throws LorafaError for anything that is wrong with model, adapter or data
 */
export async function estimateRun(
  config: ResolvedConfig,
  onEvent: (event: ProgressEvent) => void = () => undefined,
): Promise<RunEstimate> {
  const model = await openBaseModel(config.model.base_model_name_or_path, {
    quantization: quantizationOf(config),
    headersOnly: true,
  });
  const trainee = await planTrainee(config, model);
  const data = await loadRunData(config, loadTokenizer(model.tokenizer, model.config), onEvent);
  const plan = planRun(config, data.train);
  const question = {
    model,
    modules: trainee.modules,
    trainable: trainee.trainable.map(({ name }) => name),
    trainBase: trainee.trainBase,
    dropout: config.lora.lora_dropout,
    packing: config.data.packing,
    shape: plan.largestShape,
    lengths: plan.lengths,
  };
  const recompute = chooseRecompute(config, question);
  const { rows, length } = plan.largestShape;
  return {
    model: model.name,
    parameters: countParameters(model.config, trainee.modules, trainee.trainable),
    train: data.trainReport,
    ...(data.evalReport !== undefined && { evaluation: data.evalReport }),
    stepsPerEpoch: plan.stepsPerEpoch,
    steps: plan.maxSteps,
    padding: plan.padding,
    largestBatch: { rows, length },
    gradientCheckpointing: recompute,
    compute: config.engine.compute,
    memory: estimateMemory({ ...question, recompute }),
    memoryLimit: memoryLimit(config.engine),
    warnings: data.warnings,
  };
}
