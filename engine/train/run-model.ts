import type { ResolvedConfig } from '../config/schema.ts';
import { type BaseModel, openBaseModel } from '../models/base-model.ts';
import type { Nf4Options } from '../models/nf4-weights.ts';
import type { ProgressEvent } from './events.ts';

/** How the base's weights are quantized for a run; undefined where they stay as they are stored. */
export function quantizationOf({ model }: ResolvedConfig): Nf4Options | undefined {
  return model.quantization === 'nf4' ? { doubleQuant: model.use_double_quant } : undefined;
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
  const progress = (task: string) => (done: number, total: number) =>
    onEvent({ type: 'progress', task, done, total });
  return openBaseModel(config.model.base_model_name_or_path, {
    nf4: quantizationOf(config),
    onUnpack: progress('unpacking weights'),
    onQuantize: progress('quantizing weights'),
  });
}
