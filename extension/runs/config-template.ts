/** What a new run configuration is made for. */
export interface ConfigChoices {
  /** Name of the run; its results go to `runs/NAME`. */
  readonly name: string;
  /** Path or name of the base model as it is to stand in the file. */
  readonly model: string;
  /** Whether its frozen weights are trained on in NF4. */
  readonly nf4: boolean;
  /** Path or name of the training data as it is to stand in the file. */
  readonly data: string;
  /** Keys that name columns. */
  readonly columns: Readonly<Record<string, string>>;
  /** How many rows there are: few of them need more passes, and smaller steps, to be learned. */
  readonly rows: number;
  /** Heading of the file and notes to its keys, in the user's language. */
  readonly notes: ConfigNotes;
}

/** Comments of the file: one line each. */
export interface ConfigNotes {
  readonly heading: string;
  readonly model: string;
  readonly nf4: string;
  readonly data: string;
  readonly columns: string;
  readonly evalSplit: string;
  readonly lora: string;
  readonly output: string;
  readonly epochs: string;
  readonly batch: string;
  readonly rate: string;
}

/** The text of a run configuration with what people change first, each key with a note. */
export function configTemplate(choices: ConfigChoices): string {
  const { name, model, nf4, data, columns, rows, notes } = choices;
  const json = (value: string): string => JSON.stringify(value);
  const named = Object.entries(columns).map(
    ([key, column]) => `    ${json(key)}: ${json(column)},\n`,
  );
  const { epochs, accumulation } = scheduleFor(rows);
  return `// ${notes.heading}
{
  "model": {
    // ${notes.model}
    "base_model_name_or_path": ${json(model)}${nf4 ? `,\n    // ${notes.nf4}\n    "quantization": "nf4"` : ''}
  },
  "data": {
    // ${notes.data}
    "dataset_name_or_path": ${json(data)},
${named.length === 0 ? '' : `    // ${notes.columns}\n${named.join('')}`}    // ${notes.evalSplit}
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
    "num_train_epochs": ${epochs},
    // ${notes.batch}
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": ${accumulation},
    // ${notes.rate}
    "learning_rate": 3e-4,
    "lr_scheduler_type": "cosine",
    "warmup_ratio": 0.03
  }
}
`;
}

/** Some hundred steps, whatever the data. */
function scheduleFor(rows: number): { readonly epochs: number; readonly accumulation: number } {
  if (rows < 200) return { epochs: 10, accumulation: 4 };
  return rows < 2000 ? { epochs: 5, accumulation: 8 } : { epochs: 3, accumulation: 16 };
}
