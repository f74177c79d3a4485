import type { ConfigPath } from '../../engine/config/config-error.ts';
import type { ConfigOverride } from '../../engine/config/overrides.ts';
import { parseConfig } from '../../engine/config/parse.ts';
import type { ResolvedConfig } from '../../engine/config/schema.ts';

/** How the text after a flag becomes a value of the configuration. */
type FlagKind = 'path' | 'number' | 'modules';

/** A flag of PEFT's LoRA-FA fine-tuning example that takes a value. */
export interface PeftFlag {
  readonly name: string;
  readonly kind: FlagKind;
  readonly help: string;
  /** What the example takes when the flag is not given. */
  readonly fallback: string;
  /** The keys of the configuration that it sets. */
  readonly sets: readonly ConfigPath[];
  /** Keys that it sets only when it is given. */
  readonly setsWhenGiven?: readonly ConfigPath[];
}

/** The flags of `examples/lorafa_finetune/lorafa_finetuning.py` in PEFT, with its defaults. */
export const PEFT_FLAGS: readonly PeftFlag[] = [
  {
    name: 'base_model_name_or_path',
    kind: 'path',
    help: 'folder or .gguf file of the base model, or its name on the Hugging Face Hub',
    fallback: 'meta-llama/Meta-Llama-3-8B-Instruct',
    sets: [['model', 'base_model_name_or_path']],
  },
  {
    name: 'dataset_name_or_path',
    kind: 'path',
    help: 'data file, or name of a data set on the Hugging Face Hub',
    fallback: 'meta-math/MetaMathQA-40K',
    sets: [['data', 'dataset_name_or_path']],
  },
  {
    name: 'output_dir',
    kind: 'path',
    help: 'folder for the result',
    // The default of transformers' TrainingArguments, which the example leaves to it.
    fallback: 'trainer_output',
    sets: [['training', 'output_dir']],
  },
  {
    name: 'batch_size',
    kind: 'number',
    help: 'rows per batch',
    fallback: '1',
    sets: [
      ['training', 'per_device_train_batch_size'],
      ['training', 'per_device_eval_batch_size'],
    ],
  },
  {
    name: 'num_epochs',
    kind: 'number',
    help: 'passes over the data',
    fallback: '3',
    sets: [['training', 'num_train_epochs']],
  },
  {
    name: 'lr',
    kind: 'number',
    help: 'learning rate',
    fallback: '7e-5',
    sets: [['training', 'learning_rate']],
  },
  {
    name: 'cutoff_len',
    kind: 'number',
    help: 'tokens per row at most',
    fallback: '1024',
    sets: [['data', 'max_length']],
  },
  {
    name: 'eval_step',
    kind: 'number',
    help: 'report, and evaluate, every so many steps; not given: evaluate at the end of each epoch',
    fallback: '10',
    sets: [['training', 'logging_steps']],
    // The example passes its default on as `logging_steps` and never evaluates: doing so every ten
    // steps on a tenth of the data would take far longer than training.
    setsWhenGiven: [['training', 'eval_steps']],
  },
  {
    name: 'save_step',
    kind: 'number',
    help: 'write a checkpoint every so many steps',
    fallback: '100',
    sets: [['training', 'save_steps']],
  },
  {
    name: 'lora_rank',
    kind: 'number',
    help: 'rank of the adapter',
    fallback: '16',
    sets: [['lora', 'r']],
  },
  {
    name: 'lora_alpha',
    kind: 'number',
    help: 'strength of the adapter',
    fallback: '32',
    sets: [['lora', 'lora_alpha']],
  },
  {
    name: 'lora_dropout',
    kind: 'number',
    help: 'dropout of the adapter',
    fallback: '0.05',
    sets: [['lora', 'lora_dropout']],
  },
  {
    name: 'lora_target_modules',
    kind: 'modules',
    help: 'layers with an adapter, separated by commas, or all-linear',
    fallback: 'q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj',
    sets: [['lora', 'target_modules']],
  },
  {
    name: 'seed',
    kind: 'number',
    help: 'seed of everything random',
    fallback: '42',
    sets: [['training', 'seed']],
  },
];

/** What was given on the command line: texts by flag name, and the two switches. */
export interface PeftFlagValues {
  readonly texts: Readonly<Record<string, string>>;
  /** `--lorafa`: without it the example trains plain LoRA with AdamW. */
  readonly lorafa: boolean;
  /** `--quantize`: the base in NF4, without double quantization. */
  readonly quantize: boolean;
}

/** What the example sets without a flag of its own; the rest are defaults of TrainingArguments. */
const FIXED: readonly (readonly [ConfigPath, unknown])[] = [
  [['data', 'eval_split'], 0.1],
  [['training', 'warmup_steps'], 100],
  [['training', 'weight_decay'], 0.01],
  [['training', 'lr_scheduler_type'], 'linear'],
  [['training', 'save_total_limit'], 2],
];

/** Where a mistake is said to lie that only values without a flag have a part in. */
const EXAMPLE_DEFAULTS = "the defaults of PEFT's example (--set can change them)";

/**
 * The run that PEFT's example would make of the same flags. Relative paths start at the current
 * folder.
 *
 * @param overrides values of `--set`, which win
 * @throws ConfigError for values that cannot be used, naming the flag
 */
export function configFromPeftFlags(
  { texts, lorafa, quantize }: PeftFlagValues,
  overrides: readonly ConfigOverride[] = [],
): ResolvedConfig {
  const method = lorafa ? 'lorafa' : 'lora';
  const quantization: readonly ConfigOverride[] = quantize
    ? [{ path: ['model', 'quantization'], value: 'nf4', flag: '--quantize' }]
    : [];
  const fixed = [...FIXED, [['training', 'method'], method] as const].map(([path, value]) => ({
    path,
    value,
    flag: EXAMPLE_DEFAULTS,
    isDefault: true,
  }));
  const flags = PEFT_FLAGS.flatMap((flag) => overridesOf(flag, texts[flag.name]));
  // The file's name is never shown, since every required key comes from a flag; its folder counts.
  return parseConfig('{}', 'command line', [...fixed, ...flags, ...quantization, ...overrides]);
}

function overridesOf(flag: PeftFlag, given: string | undefined): readonly ConfigOverride[] {
  const value = parseFlag(flag.kind, given ?? flag.fallback);
  const paths = [...flag.sets, ...(given === undefined ? [] : (flag.setsWhenGiven ?? []))];
  const isDefault = given === undefined;
  return paths.map((path) => ({ path, value, flag: `--${flag.name}`, isDefault }));
}

function parseFlag(kind: FlagKind, text: string): unknown {
  switch (kind) {
    case 'path':
      return text;
    case 'modules':
      return text === 'all-linear' ? text : text.split(',').map((name) => name.trim());
    case 'number': {
      // What is no number goes on as text, for the schema to refuse with its own words.
      const value = Number(text);
      return text.trim() === '' || Number.isNaN(value) ? text : value;
    }
  }
}
