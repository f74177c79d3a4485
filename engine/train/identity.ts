import { createHash } from 'node:crypto';
import type { ResolvedConfig } from '../config/schema.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import { LorafaError } from '../errors.ts';
import type { TrainerState } from './checkpoint.ts';
import type { RunData } from './run-data.ts';
import type { RunPlan } from './run-plan.ts';

type Identity = TrainerState['identity'];

/** Settings that a resumed run may change: they alter nothing of the steps that are still to come. */
const FREE_TRAINING_KEYS: ReadonlySet<string> = new Set([
  'output_dir',
  'resume_from_checkpoint',
  'logging_steps',
  'eval_steps',
  'save_steps',
  'save_total_limit',
  'sample_prompts',
  'sample_steps',
  'per_device_eval_batch_size',
  'gradient_checkpointing',
  // The number of steps that follow from these is compared instead.
  'num_train_epochs',
  'max_steps',
  'warmup_steps',
  'warmup_ratio',
]);

/** The same for the section `data`: what the files hold is compared, not where they lie. */
const FREE_DATA_KEYS: ReadonlySet<string> = new Set([
  'dataset_name_or_path',
  'eval_dataset_name_or_path',
]);

/**
 * What decides every step of a run: a checkpoint may only be resumed by a run that has all of it
 * in common, or the continued run would not equal one that was never stopped.
 */
export function runIdentity(config: ResolvedConfig, data: RunData, plan: RunPlan): Identity {
  const kept = (section: object, free: ReadonlySet<string>): object =>
    Object.fromEntries(Object.entries(section).filter(([key]) => !free.has(key)));
  const sections = {
    model: config.model,
    data: kept(config.data, FREE_DATA_KEYS),
    lora: config.lora,
    training: kept(config.training, FREE_TRAINING_KEYS),
    engine: { compute: config.engine.compute },
  };
  const settings = Object.entries(sections).flatMap(([section, keys]) =>
    Object.entries(keys).map(([key, value]) => [`${section}.${key}`, value] as const),
  );
  return JSON.parse(
    JSON.stringify({
      ...Object.fromEntries(settings),
      'number of steps': plan.maxSteps,
      'warm-up steps': plan.warmupSteps,
      'training tokens': data.trainReport.tokens,
      'supervised training tokens': data.trainReport.supervisedTokens,
      'digest of the training data': digest(data.train),
    }),
  ) as Identity;
}

/** Tells examples apart that have the same numbers of tokens. */
function digest(examples: readonly TokenizedExample[]): string {
  const hash = createHash('sha256');
  for (const { inputIds, supervised } of examples) {
    hash.update(Int32Array.of(inputIds.length)).update(inputIds).update(supervised);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Throws `checkpoint.mismatch` naming what differs between a checkpoint and the run. */
export function requireSameIdentity(checkpoint: string, stored: Identity, current: Identity): void {
  const keys = new Set([...Object.keys(stored), ...Object.keys(current)]);
  const isSetting = (key: string): boolean => key.includes('.');
  const differing = [...keys]
    .filter((key) => JSON.stringify(stored[key]) !== JSON.stringify(current[key]))
    // What a person wrote says more than what follows from it.
    .toSorted((a, b) => Number(isSetting(b)) - Number(isSetting(a)));
  if (differing.length === 0) return;
  const shown = differing
    .slice(0, 3)
    .map((key) => `${key} was ${text(stored[key])} and is now ${text(current[key])}`);
  throw new LorafaError(
    'checkpoint.mismatch',
    `${checkpoint} belongs to another run: ${shown.join('; ')}; restore the configuration, or start anew with the checkpoint as lora.init_adapter.`,
    { location: { file: checkpoint } },
  );
}

function text(value: Identity[string] | undefined): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}
