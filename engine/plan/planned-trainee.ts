import { expectedTensors } from '../architectures/expected-tensors.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError } from '../errors.ts';
import { trainedTensors } from '../lora/adapter.ts';
import { requireNoExpertDropout } from '../lora/expert-targets.ts';
import { openAdapter } from '../lora/load-adapter.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import { checkRanks, resolveTargets } from '../lora/targets.ts';
import type { BaseModel } from '../models/base-model.ts';
import type { Trained } from '../step/step-spec.ts';

/** The sections of a configuration that decide what is trained. */
export type TraineeConfig = Pick<ResolvedConfig, 'lora' | 'training'>;

/**
 * Decides what a run trains: nothing has a value yet.
 *
 * @param checkpoint a folder that a run goes on from, which has its adapter in the place of the first one
 * @throws LorafaError as `resolveTargets`, and for `lora.init_adapter` as `openAdapter`
 */
export async function planTrainee(
  { lora, training: { method } }: TraineeConfig,
  model: Pick<BaseModel, 'config' | 'name'>,
  checkpoint?: string,
): Promise<Trained> {
  if (method === 'full') {
    requireWhole(model);
    const trainable = [...expectedTensors(model.config)].map(([name, shape]) => ({ name, shape }));
    return { modules: [], trainable, trainBase: true };
  }
  const modules = await adaptedModules(lora, model, checkpoint);
  const trainable = modules.flatMap((module) => trainedTensors(module, method));
  return { modules, trainable, trainBase: false };
}

/** @throws LorafaError `model.unsupported` for the text part of a model, which would be saved without the others */
function requireWhole({ config, name }: Pick<BaseModel, 'config' | 'name'>): void {
  if (!config.isPart) return;
  throw new LorafaError(
    'model.unsupported',
    `${name} is a model with parts that are not read here, so that training.method "full" cannot save it as a whole; use "lorafa" or "lora".`,
  );
}

async function adaptedModules(
  lora: ResolvedConfig['lora'],
  model: Pick<BaseModel, 'config' | 'name'>,
  checkpoint: string | undefined,
): Promise<readonly LoraModule[]> {
  if (lora.init_adapter === undefined) return resolveTargets(lora, model.config, model.name);
  const { modules } = await openAdapter(checkpoint ?? lora.init_adapter, model.config);
  checkRanks(modules);
  requireNoExpertDropout(lora.lora_dropout, model.config, modules);
  return modules;
}
