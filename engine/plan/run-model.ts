import type { ResolvedConfig } from '../config/schema.ts';
import { type BaseModel, openBaseModel } from '../models/base-model.ts';
import type { Device } from '../runtime/device.ts';
import { areRounded } from '../weights/bfloat16-weights.ts';
import { type ComputeMode, isBfloat16Mode } from '../weights/compute-mode.ts';
import type { OpenOptions } from '../weights/make-weights.ts';
import type { Nf4Options } from '../weights/nf4-weights.ts';
import type { Quantization } from '../weights/quantization.ts';
import { WeightStore } from '../weights/weight-store.ts';
import type { ProgressEvent } from './plan-reports.ts';

/** How the base of a configuration is stored in four bits; undefined where it is not. */
export function nf4Of({ model }: Pick<ResolvedConfig, 'model'>): Nf4Options | undefined {
  return model.quantization === 'nf4' ? { doubleQuant: model.use_double_quant } : undefined;
}

/**
 * How the base's weights are quantized for training; undefined where they stay as they are stored,
 * as they do for the mode `auto`, which is decided by the run itself.
 *
 * @param planned the device that a plan is for, on which `auto` is no question
 */
export function quantizationOf(
  { model, engine: { compute } }: Pick<ResolvedConfig, 'model' | 'engine'>,
  planned?: Device,
): Quantization | undefined {
  const auto = planned?.kind === 'cuda' ? 'bfloat16' : 'float32';
  return quantizationFor(compute === 'auto' ? auto : compute, nf4Of({ model }));
}

/**
 * What a mode needs of weights; undefined where it takes them as they are stored.
 *
 * @param nf4 how they are stored in four bits, which on CUDA are multiplied with in bfloat16 as well
 */
export function quantizationFor(
  mode: ComputeMode,
  nf4: Nf4Options | undefined,
): Quantization | undefined {
  if (nf4 !== undefined) return { kind: 'nf4', ...nf4, ...(mode === 'bfloat16' && { mode }) };
  if (mode === 'int8') return { kind: 'int8' };
  return isBfloat16Mode(mode) ? { kind: 'bfloat16', mode } : undefined;
}

/**
 * Opens the base model of a run, quantized where the configuration says so.
 *
 * @throws LorafaError as `openBaseModel`
 */
export function openRunModel(
  config: ResolvedConfig,
  onEvent: (event: ProgressEvent) => void,
): Promise<BaseModel> {
  return open(config, quantizationOf(config), onEvent);
}

/**
 * The base model that answers the prompts of a run, which is always in float32, if it has all that it
 * takes: undefined where the weights were made for products in fewer bits, so that those of which
 * they were made have to be opened beside them.
 */
export function answeringModel<Model extends Pick<BaseModel, 'weights'>>(
  { training }: Pick<ResolvedConfig, 'training'>,
  base: Model,
): Model | undefined {
  const { compute, tensors } = base.weights;
  if (training.sample_prompts === undefined || compute === 'float32') return base;
  if (compute === 'int8' || areRounded(base.weights)) return undefined;
  return { ...base, weights: new WeightStore(tensors) };
}

/**
 * The base model that answers the prompts of a run: the run's own, or another one where
 * {@link answeringModel} finds none in it.
 *
 * @throws LorafaError as `openBaseModel`
 */
export async function openGenerationModel(
  config: ResolvedConfig,
  base: BaseModel,
  onEvent: (event: ProgressEvent) => void,
): Promise<BaseModel> {
  return answeringModel(config, base) ?? open(config, undefined, onEvent);
}

function open(
  { model }: ResolvedConfig,
  quantization: Quantization | undefined,
  onEvent: (event: ProgressEvent) => void,
): Promise<BaseModel> {
  return openBaseModel(model.base_model_name_or_path, { quantization, ...weightProgress(onEvent) });
}

/** Tells of weights that are being made while a model is opened. */
export function weightProgress(
  onEvent: (event: ProgressEvent) => void,
): Pick<OpenOptions, 'onUnpack' | 'onQuantize'> {
  const progress = (task: string) => (done: number, total: number) =>
    onEvent({ type: 'progress', task, done, total });
  return { onUnpack: progress('unpacking weights'), onQuantize: progress('quantizing weights') };
}
