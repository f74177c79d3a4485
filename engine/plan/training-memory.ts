import { parseConfig } from '../config/parse.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import type { BaseModel } from '../models/base-model.ts';
import { stepSpec } from '../step/step-spec.ts';
import { describeQuantized } from '../weights/quantization.ts';
import { estimateMemory, memoryLimit } from './memory.ts';
import { planTrainee } from './planned-trainee.ts';
import { nf4Of } from './run-model.ts';

/** What training a model takes at least, with the settings of a new configuration, whatever the data. */
export interface TrainingMemory {
  /** Bytes, with the weights as they are stored. */
  readonly stored: number;
  /** Bytes, with the frozen weights in NF4; null where they fit as they are stored. */
  readonly nf4: number | null;
  /** Bytes that this machine can give now. */
  readonly limit: number;
}

/** The settings that decide about memory, as the editor writes them into a new configuration. */
export const NEW_CONFIGURATION = {
  lora: { r: 64, lora_alpha: 128, target_modules: 'all-linear' },
  training: { method: 'lorafa', per_device_train_batch_size: 1 },
} as const;

/**
 * Estimates what training a model takes by its structure alone, with rows of `max_length` tokens and
 * all that can be computed again computed again.
 *
 * @param given bytes that a run may use; what this machine can give now unless given
 * @throws LorafaError as `resolveTargets`
 */
export async function trainingMemory(
  model: Pick<BaseModel, 'config' | 'name' | 'weights'>,
  given?: number,
): Promise<TrainingMemory> {
  const config = parseConfig(
    JSON.stringify({
      model: { base_model_name_or_path: 'model', quantization: 'nf4' },
      data: { dataset_name_or_path: 'data' },
      ...NEW_CONFIGURATION,
      training: { ...NEW_CONFIGURATION.training, output_dir: 'run' },
    }),
    'new.lorafa.json',
  );
  const limit = given ?? memoryLimit(config.engine, process.availableMemory());
  const stored = await bytesFor(model, config);
  if (stored <= limit) return { stored, nf4: null, limit };
  const quantized = describeQuantized(model, { kind: 'nf4', ...nf4Of(config)! });
  return { stored, nf4: await bytesFor(quantized, config), limit };
}

async function bytesFor(
  model: Pick<BaseModel, 'config' | 'name' | 'weights'>,
  config: ResolvedConfig,
): Promise<number> {
  const length = Math.min(config.data.max_length, model.config.maxPositionEmbeddings);
  return estimateMemory({
    ...stepSpec(config, model, await planTrainee(config, model)),
    shape: { rows: config.training.per_device_train_batch_size, length, lossTokens: length },
    recompute: 'layer',
  }).total;
}
