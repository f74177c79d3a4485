import type { ResolvedConfig } from '../config/schema.ts';
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
  'per_device_eval_batch_size',
  // The number of steps that follow from these is compared instead.
  'num_train_epochs',
  'max_steps',
  'warmup_steps',
  'warmup_ratio',
]);

/**
 * What decides every step of a run: a checkpoint may only be resumed by a run that has all of it
 * in common, or the continued run would not equal one that was never stopped.
 */
export function runIdentity(config: ResolvedConfig, data: RunData, plan: RunPlan): Identity {
  const training = Object.entries(config.training).filter(([key]) => !FREE_TRAINING_KEYS.has(key));
  const sections = { model: config.model, data: config.data, lora: config.lora };
  const settings = Object.entries(sections).flatMap(([section, keys]) =>
    Object.entries(keys).map(([key, value]) => [`${section}.${key}`, value] as const),
  );
  return JSON.parse(
    JSON.stringify({
      ...Object.fromEntries(settings),
      ...Object.fromEntries(training.map(([key, value]) => [`training.${key}`, value])),
      'number of steps': plan.maxSteps,
      'warm-up steps': plan.warmupSteps,
      'training tokens': data.trainReport.tokens,
      'supervised training tokens': data.trainReport.supervisedTokens,
    }),
  ) as Identity;
}

/** Throws `checkpoint.mismatch` naming what differs between a checkpoint and the run. */
export function requireSameIdentity(checkpoint: string, stored: Identity, current: Identity): void {
  const keys = new Set([...Object.keys(stored), ...Object.keys(current)]);
  const differing = [...keys].filter(
    (key) => JSON.stringify(stored[key]) !== JSON.stringify(current[key]),
  );
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
