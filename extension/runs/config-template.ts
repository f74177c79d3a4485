/** What a new run configuration is made for. */
export interface ConfigChoices {
  /** Name of the run; its results go to `runs/NAME`. */
  readonly name: string;
  /** Path of the base model as it is to stand in the file. */
  readonly model: string;
  /** Path of the training data as it is to stand in the file. */
  readonly data: string;
  /** Heading of the file and notes to its keys, in the user's language. */
  readonly notes: ConfigNotes;
}

/** Comments of the file: one line each. */
export interface ConfigNotes {
  readonly heading: string;
  readonly model: string;
  readonly data: string;
  readonly evalSplit: string;
  readonly lora: string;
  readonly output: string;
  readonly epochs: string;
  readonly batch: string;
  readonly rate: string;
}

/** The text of a run configuration with what people change first, each key with a note. */
export function configTemplate({ name, model, data, notes }: ConfigChoices): string {
  const json = (value: string): string => JSON.stringify(value);
  return `// ${notes.heading}
{
  "model": {
    // ${notes.model}
    "base_model_name_or_path": ${json(model)}
  },
  "data": {
    // ${notes.data}
    "dataset_name_or_path": ${json(data)},
    // ${notes.evalSplit}
    "eval_split": 0.05
  },
  "lora": {
    // ${notes.lora}
    "r": 64,
    "lora_alpha": 128,
    "target_modules": "all-linear"
  },
  "training": {
    "method": "lorafa",
    // ${notes.output}
    "output_dir": ${json(`runs/${name}`)},
    // ${notes.epochs}
    "num_train_epochs": 3,
    // ${notes.batch}
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 16,
    // ${notes.rate}
    "learning_rate": 3e-4,
    "lr_scheduler_type": "cosine",
    "warmup_ratio": 0.03
  }
}
`;
}
