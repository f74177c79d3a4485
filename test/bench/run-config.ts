import type { ConfigOverride } from '../../engine/config/overrides.ts';
import { parseConfig } from '../../engine/config/parse.ts';
import type { ResolvedConfig } from '../../engine/config/schema.ts';

/** Values of a run configuration by their paths, such as `lora.r`. */
export type Settings = Readonly<Record<string, unknown>>;

/** Where a measured run reads and writes. */
export interface RunPaths {
  readonly model: string;
  readonly data: string;
  readonly output: string;
}

/** What all rows have in common; PEFT's rows repeat the values that matter (`peft_step.py`). */
export const COMMON_SETTINGS: Settings = {
  'lora.r': 16,
  'lora.lora_alpha': 32,
  'lora.target_modules': 'all-linear',
  'training.learning_rate': 1e-4,
  'training.lr_scheduler_type': 'constant',
  'training.gradient_checkpointing': 'none',
  'training.save_steps': 1e6,
  'engine.device': 'cpu',
};

/**
 * The configuration of a measured run.
 *
 * @throws ConfigError where the engine does not know a setting or its value
 */
export function runConfig(settings: Settings, { model, data, output }: RunPaths): ResolvedConfig {
  const values = {
    ...COMMON_SETTINGS,
    ...settings,
    'model.base_model_name_or_path': model,
    'data.dataset_name_or_path': data,
    'training.output_dir': output,
  };
  const overrides = Object.entries(values).map(
    ([path, value]): ConfigOverride => ({ path: path.split('.'), value, flag: path }),
  );
  return parseConfig('{}', 'benchmark', overrides);
}
