import type { ResolvedConfig } from '../config/schema.ts';
import { paddingMultiple } from '../plan/padding-multiple.ts';

/** Settings that a resumed run may change: they alter nothing of the steps that are still to come. */
const FREE_TRAINING_KEYS: ReadonlySet<string> = new Set([
  'output_dir',
  'resume_from_checkpoint',
  'logging_steps',
  'eval_steps',
  'eval_on_start',
  'save_steps',
  'report_to',
  'logging_dir',
  'save_total_limit',
  'load_best_model_at_end',
  'metric_for_best_model',
  'early_stopping_patience',
  'early_stopping_threshold',
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

/** The same for other sections: what the files hold is compared, not where they lie. */
const FREE_MODEL_KEYS: ReadonlySet<string> = new Set(['base_model_name_or_path']);
const FREE_DATA_KEYS: ReadonlySet<string> = new Set([
  'dataset_name_or_path',
  'eval_dataset_name_or_path',
  // What comes of it are the tokens, which are compared.
  'chat_template',
  // Which rows were left out shows in the digest of the data.
  'max_bad_rows',
  // Whether data are streamed, and in which windows, shows in it too.
  'streaming',
  'buffer_size',
  'mix',
]);
const FREE_LORA_KEYS: ReadonlySet<string> = new Set(['init_adapter']);

/** Settings from which the numbers of steps follow. */
const LENGTH_KEYS = ['num_train_epochs', 'max_steps', 'warmup_steps', 'warmup_ratio'] as const;

/** The settings that decide every step of a run, by their paths; those of its length follow from the data too. */
export function decisiveSettings(config: ResolvedConfig): Readonly<Record<string, unknown>> {
  const kept = (section: object, free: ReadonlySet<string>): object =>
    Object.fromEntries(Object.entries(section).filter(([key]) => !free.has(key)));
  const sections = {
    model: kept(config.model, FREE_MODEL_KEYS),
    data: {
      ...kept(config.data, FREE_DATA_KEYS),
      pad_to_multiple_of: paddingMultiple(config.data),
    },
    lora: kept(config.lora, FREE_LORA_KEYS),
    training: kept(config.training, FREE_TRAINING_KEYS),
    // Checkpoints of earlier versions have no word of TF32.
    engine: { compute: config.engine.compute, ...(config.engine.tf32 && { tf32: true }) },
    ...decisiveBackend(config),
  };
  // Of a set that is mixed in, all but where it lies.
  const mix = config.data.mix?.map((set) => kept(set, FREE_DATA_KEYS));
  const settings = Object.entries(sections).flatMap(([section, keys]) =>
    Object.entries(keys).map(([key, value]) => [`${section}.${key}`, value] as const),
  );
  return Object.fromEntries([...settings, ...(mix === undefined ? [] : [['data.mix', mix]])]);
}

/**
 * Of the backend nothing decides a step, but where it rounds otherwise or draws its own dropout masks.
 * Where it is the default, checkpoints of earlier versions have no word of it.
 */
function decisiveBackend({ engine, accelerate, lora }: ResolvedConfig): Record<string, object> {
  if (engine.backend === 'onnxruntime') return {};
  const { mixed_precision } = accelerate;
  return {
    accelerate: {
      ...(mixed_precision !== 'no' && { mixed_precision }),
      ...(lora.lora_dropout > 0 && { 'dropout masks': "PyTorch's" }),
    },
  };
}

/**
 * Whether a run of one configuration may go on with what a run of another one left, as far as their
 * settings tell: what is in the files that they name is not looked at.
 */
export function hasSameSettings(stored: ResolvedConfig, current: ResolvedConfig): boolean {
  const [before, now] = [stored, current].map((config) => {
    const lengths = LENGTH_KEYS.map((key) => [`training.${key}`, config.training[key]] as const);
    const all = Object.entries({ ...decisiveSettings(config), ...Object.fromEntries(lengths) });
    return all
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
      .toSorted();
  });
  return before!.join('\n') === now!.join('\n');
}
