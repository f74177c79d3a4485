import type { ResolvedConfig } from '../config/schema.ts';
import { type BaseModel, openBaseModel } from '../models/base-model.ts';
import type { ProgressEvent } from '../train/events.ts';
import type { OpenOptions } from '../weights/make-weights.ts';
import type { Nf4Options } from '../weights/nf4-weights.ts';
import type { Quantization } from '../weights/quantization.ts';

/** How the base of a configuration is stored in four bits; undefined where it is not. */
export function nf4Of({ model }: Pick<ResolvedConfig, 'model'>): Nf4Options | undefined {
  return model.quantization === 'nf4' ? { doubleQuant: model.use_double_quant } : undefined;
}

/**
 * How the base's weights are quantized for training; undefined where they stay as they are stored,
 * as they do for the mode `auto`, which is decided by the run itself.
 */
export function quantizationOf({
  model,
  engine: { compute },
}: Pick<ResolvedConfig, 'model' | 'engine'>): Quantization | undefined {
  const nf4 = nf4Of({ model });
  if (nf4 !== undefined) return { kind: 'nf4', ...nf4 };
  return compute === 'float32' || compute === 'auto' ? undefined : { kind: 'int8', mode: compute };
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
 * Whether a run's prompts are answered with other weights than it is opened with: with those that
 * weights in eight bits, for which generation has no use, were made of.
 */
export function answersWithOwnWeights(
  config: Pick<ResolvedConfig, 'model' | 'engine' | 'training'>,
): boolean {
  const isInt8 = quantizationOf(config)?.kind === 'int8';
  return isInt8 && config.training.sample_prompts !== undefined;
}

/**
 * The base model that answers the prompts of a run: the run's own, or another one where
 * {@link answersWithOwnWeights} says so.
 *
 * @throws LorafaError as `openBaseModel`
 */
export async function openGenerationModel(
  config: ResolvedConfig,
  base: BaseModel,
  onEvent: (event: ProgressEvent) => void,
): Promise<BaseModel> {
  return answersWithOwnWeights(config) ? open(config, undefined, onEvent) : base;
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
