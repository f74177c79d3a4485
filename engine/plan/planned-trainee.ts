import { expectedTensors } from '../architectures/expected-tensors.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError } from '../errors.ts';
import { trainedTensors } from '../lora/adapter.ts';
import { requireNoExpertDropout } from '../lora/expert-targets.ts';
import { openAdapter } from '../lora/load-adapter.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import { checkRanks, resolveTargets } from '../lora/targets.ts';
import type { BaseModel } from '../models/base-model.ts';

/** What a run will train, by names and sizes: nothing has a value yet. */
export interface PlannedTrainee {
  /** The adapted layers; none for a full fine-tune. */
  readonly modules: readonly LoraModule[];
  readonly trainable: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** True where the base's own weights are trained. */
  readonly trainBase: boolean;
}

/** The sections of a configuration that decide what is trained. */
export type TraineeConfig = Pick<ResolvedConfig, 'lora' | 'training'>;

/**
 * Decides what a run trains.
 *
 * @throws LorafaError as `resolveTargets`, and for `lora.init_adapter` as `openAdapter`
 */
export async function planTrainee(
  { lora, training: { method } }: TraineeConfig,
  model: Pick<BaseModel, 'config' | 'name'>,
): Promise<PlannedTrainee> {
  if (method === 'full') {
    requireWhole(model);
    const trainable = [...expectedTensors(model.config)].map(([name, shape]) => ({ name, shape }));
    return { modules: [], trainable, trainBase: true };
  }
  const modules = await adaptedModules(lora, model);
  const trainable = modules.flatMap((module) => trainedTensors(module, method));
  return { modules, trainable, trainBase: false };
}

/** @throws LorafaError `model.unsupported` for the text part of a model, which would be saved without the others */
export function requireWhole({ config, name }: Pick<BaseModel, 'config' | 'name'>): void {
  if (!config.isPart) return;
  throw new LorafaError(
    'model.unsupported',
    `${name} is a model with parts that are not read here, so that training.method "full" cannot save it as a whole; use "lorafa" or "lora".`,
  );
}

async function adaptedModules(
  lora: ResolvedConfig['lora'],
  model: Pick<BaseModel, 'config' | 'name'>,
): Promise<readonly LoraModule[]> {
  if (lora.init_adapter === undefined) return resolveTargets(lora, model.config, model.name);
  const { modules } = await openAdapter(lora.init_adapter, model.config);
  checkRanks(modules);
  requireNoExpertDropout(lora.lora_dropout, model.config, modules);
  return modules;
}
