import { type ConfigPath, formatPath } from './config-error.ts';
import { type Given, givenIn, member } from './given.ts';
import { type PathProblem, type Remedy, setValue } from './path-problem.ts';

type Rule = (given: Given) => readonly PathProblem[];

/**
 * Keys that are fine alone and mean nothing together. A key that would have no effect is an error,
 * never ignored; a default never contradicts anything. Values of a wrong type are left to the schema.
 */
export function contradictions(value: unknown): readonly PathProblem[] {
  const given = givenIn(value);
  const loraKeys = Object.keys(member(value, 'lora') ?? {});
  const rules: readonly Rule[] = [
    evaluationRule,
    bestRule,
    rowShapeRule,
    templateRule,
    streamingRule,
    mixRule,
    lossRule,
    trainOnRule,
    chatTemplateRule,
    ownTemplateRule,
    lengthRule,
    scheduleRule,
    sampleRule,
    reportRule,
    memoryRule,
    quantizationRule,
    computeRule,
    (get) => fullMethodRule(get, loraKeys),
    (get) => initAdapterRule(get, loraKeys),
  ];
  return rules.flatMap((rule) => rule(given));
}

/** What the best evaluation decides. */
const BEST_KEYS = [
  'load_best_model_at_end',
  'metric_for_best_model',
  'early_stopping_patience',
  'early_stopping_threshold',
];

/** How evaluations are judged matters where that decides something. */
const bestRule: Rule = (given) => {
  const stopsEarly = given('training', 'early_stopping_patience') !== undefined;
  const loadsBest = given('training', 'load_best_model_at_end') === true;
  const idle = (key: string, needs: string, ...remedies: readonly Remedy[]): PathProblem => {
    const path = ['training', key];
    const message = `\`training.${key}\` has no effect without ${needs}; give it, or remove this`;
    return problem(path, message, ...remedies, { kind: 'remove', path });
  };
  const setPatience = setValue(['training', 'early_stopping_patience'], 3);
  const patience = '`training.early_stopping_patience`';
  return [
    ...(given('training', 'early_stopping_threshold') !== undefined && !stopsEarly
      ? [idle('early_stopping_threshold', patience, setPatience)]
      : []),
    ...(given('training', 'metric_for_best_model') !== undefined && !stopsEarly && !loadsBest
      ? [
          idle(
            'metric_for_best_model',
            `\`training.load_best_model_at_end\` or ${patience}`,
            setValue(['training', 'load_best_model_at_end'], true),
          ),
        ]
      : []),
  ];
};

/** Held-out rows come from one place, and what only evaluation uses needs them. */
const evaluationRule: Rule = (given) => {
  const hasFile = given('data', 'eval_dataset_name_or_path') !== undefined;
  const hasSplit = given('data', 'eval_split') !== undefined;
  if (hasFile && hasSplit) {
    return [
      problem(
        ['data', 'eval_split'],
        '`data.eval_split` and `data.eval_dataset_name_or_path` both name the held-out rows; keep one of the two',
      ),
    ];
  }
  if (hasFile || hasSplit) return [];
  return [...BEST_KEYS, 'eval_steps', 'eval_on_start', 'per_device_eval_batch_size']
    .filter((key) => given('training', key) !== undefined)
    .map((key) =>
      problem(
        ['training', key],
        `\`training.${key}\` has no effect without held-out rows; give \`data.eval_split\` or \`data.eval_dataset_name_or_path\`, or remove it`,
      ),
    );
};

/** Which shape of row each key speaks of. */
const SHAPE_OF_KEY: Readonly<Record<string, string>> = {
  text_column: 'text',
  prompt_column: 'prompt_completion',
  completion_column: 'prompt_completion',
  messages_column: 'messages',
  prompt_template: 'template',
  completion_template: 'template',
};

/** What a person wrote for the keys of one set of rows, and where these keys are. */
interface GivenRows {
  readonly path: ConfigPath;
  readonly get: (key: string) => unknown;
}

/** All keys that describe rows describe the same shape. */
const rowShapeRule: Rule = (given) => rowShapeProblems(rowsOfData(given));

/** A template always says what is learned. */
const templateRule: Rule = (given) => templateProblems(rowsOfData(given));

/** Sets that are mixed in describe their rows in the same way. */
const mixRule: Rule = (given) => {
  const mix = given('data', 'mix');
  if (!Array.isArray(mix)) return [];
  return mix.flatMap((set: unknown, index) => {
    const rows: GivenRows = { path: ['data', 'mix', index], get: (key) => member(set, key) };
    return [...rowShapeProblems(rows), ...templateProblems(rows)];
  });
};

function rowsOfData(given: Given): GivenRows {
  return { path: ['data'], get: (key) => given('data', key) };
}

function rowShapeProblems({ path, get }: GivenRows): readonly PathProblem[] {
  const format = get('format');
  const name = (key: string): string => `\`${formatPath([...path, key])}\``;
  const keys = Object.keys(SHAPE_OF_KEY).filter((key) => get(key) !== undefined);
  if (typeof format === 'string' && format !== 'auto') {
    return keys
      .filter((key) => SHAPE_OF_KEY[key] !== format)
      .map((key) =>
        problem(
          [...path, key],
          `${name(key)} has no effect with format "${format}"; remove it or set ${name('format')} to "${SHAPE_OF_KEY[key]}"`,
        ),
      );
  }
  const [first, ...others] = keys;
  return others
    .filter((key) => SHAPE_OF_KEY[key] !== SHAPE_OF_KEY[first!])
    .map((key) =>
      problem(
        [...path, key],
        `${name(key)} and ${name(first!)} speak of rows of different shapes; remove one of the two`,
      ),
    );
}

function templateProblems({ path, get }: GivenRows): readonly PathProblem[] {
  if (get('completion_template') !== undefined) return [];
  const needed = `\`${formatPath([...path, 'completion_template'])}\``;
  if (get('prompt_template') !== undefined) {
    const place = [...path, 'prompt_template'];
    return [problem(place, `\`${formatPath(place)}\` needs ${needed} beside it, e.g. "{answer}"`)];
  }
  return get('format') === 'template'
    ? [problem([...path, 'format'], `format "template" needs ${needed}, e.g. "{answer}"`)]
    : [];
}

/** What is not streamed has no buffer. */
const streamingRule: Rule = (given) =>
  given('data', 'streaming') === false && given('data', 'buffer_size') !== undefined
    ? [
        problem(
          ['data', 'buffer_size'],
          '`data.buffer_size` has no effect without `data.streaming`; remove one of the two',
        ),
      ]
    : [];

/** Plain text has no completion that could be learned alone. */
const lossRule: Rule = (given) =>
  isText(given) && given('data', 'completion_only_loss') === true
    ? [
        problem(
          ['data', 'completion_only_loss'],
          '`data.completion_only_loss` has no effect on rows of plain text, which are learned whole; remove it',
        ),
      ]
    : [];

/** What is learned is said once, of rows of which it can be said. */
const trainOnRule: Rule = (given) => {
  const path = ['data', 'train_on'];
  const trainOn = given('data', 'train_on');
  if (trainOn === undefined) return [];
  if (isText(given)) {
    return [
      problem(
        path,
        '`data.train_on` has no effect on rows of plain text, which are learned whole; remove it',
      ),
    ];
  }
  if (trainOn === 'last_assistant' && isPair(given)) {
    return [
      problem(
        path,
        '`data.train_on` "last_assistant" chooses among several answers, and a prompt has one completion; remove it',
      ),
    ];
  }
  const isCompletionOnly = given('data', 'completion_only_loss');
  if (typeof isCompletionOnly !== 'boolean' || isCompletionOnly === (trainOn !== 'all')) return [];
  return [
    problem(
      path,
      `\`data.train_on\` "${trainOn}" and \`data.completion_only_loss\` ${isCompletionOnly} say different things; keep one of the two`,
      { kind: 'remove', path },
      { kind: 'remove', path: ['data', 'completion_only_loss'] },
    ),
  ];
};

/** A chat template has an effect where rows go through one. */
const ownTemplateRule: Rule = (given) => {
  if (given('data', 'chat_template') === undefined) return [];
  const applies = given('data', 'apply_chat_template');
  const reason = isText(given)
    ? 'on rows of plain text'
    : applies === false
      ? 'where `data.apply_chat_template` is false'
      : isTemplate(given) && applies !== true
        ? 'on rows that your own templates write, unless `data.apply_chat_template` is true'
        : undefined;
  if (reason === undefined) return [];
  const message = `\`data.chat_template\` has no effect ${reason}; remove it`;
  return [problem(['data', 'chat_template'], message)];
};

/** Plain text never goes through the chat template, and chat turns always do. */
const chatTemplateRule: Rule = (given) => {
  const applies = given('data', 'apply_chat_template');
  const isChat =
    given('data', 'format') === 'messages' || given('data', 'messages_column') !== undefined;
  if (applies === true && isText(given)) {
    return [
      problem(
        ['data', 'apply_chat_template'],
        '`data.apply_chat_template` cannot be true for rows of plain text, which have no turns; remove it',
      ),
    ];
  }
  return applies === false && isChat
    ? [
        problem(
          ['data', 'apply_chat_template'],
          '`data.apply_chat_template` cannot be false for chat turns, which become text only through the chat template; remove it',
        ),
      ]
    : [];
};

/** A run has one length. */
const lengthRule: Rule = (given) => {
  const keys = ['num_train_epochs', 'max_steps'];
  if (keys.some((key) => given('training', key) === undefined)) return [];
  const paths = keys.map((key) => ['training', key]);
  return [
    problem(
      paths[0]!,
      '`training.num_train_epochs` and `training.max_steps` both set the length of the run; keep one of the two',
      ...paths.map((path): Remedy => ({ kind: 'remove', path })),
    ),
  ];
};

/** Warm-up has one length, and every schedule gets the settings that it uses. */
const scheduleRule: Rule = (given) => {
  const problems: PathProblem[] = [];
  const type = given('training', 'lr_scheduler_type') ?? 'cosine';
  const warmUps = ['warmup_steps', 'warmup_ratio'].filter((key) =>
    isPositive(given('training', key)),
  );
  if (warmUps.length === 2) {
    problems.push(
      problem(
        ['training', 'warmup_ratio'],
        '`training.warmup_steps` and `training.warmup_ratio` both set the length of the warm-up; keep one of the two',
      ),
    );
  }
  if (type === 'constant') {
    for (const key of warmUps) {
      problems.push(
        problem(
          ['training', key],
          `\`training.${key}\` has no effect with the schedule "constant"; use "constant_with_warmup" or remove it`,
        ),
      );
    }
  }
  return [...problems, ...schedulerKwargsProblems(type, given('training', 'lr_scheduler_kwargs'))];
};

function schedulerKwargsProblems(type: unknown, kwargs: unknown): readonly PathProblem[] {
  const path = ['training', 'lr_scheduler_kwargs'];
  if (type !== 'cosine_with_min_lr') {
    return kwargs === undefined
      ? []
      : [
          problem(
            path,
            '`training.lr_scheduler_kwargs` has an effect only with the schedule "cosine_with_min_lr"; remove it or choose that schedule',
          ),
        ];
  }
  const count = ['min_lr', 'min_lr_rate'].filter((key) => member(kwargs, key) !== undefined).length;
  if (count === 1) return [];
  return [
    problem(
      kwargs === undefined ? ['training', 'lr_scheduler_type'] : path,
      'the schedule "cosine_with_min_lr" needs exactly one of `min_lr` and `min_lr_rate` in `training.lr_scheduler_kwargs`',
      setValue(path, { min_lr_rate: 0.1 }),
    ),
  ];
}

/** What is recomputed depends on memory only where that is left to the engine. */
const memoryRule: Rule = (given) => {
  const setting = given('training', 'gradient_checkpointing') ?? 'auto';
  return setting === 'auto' || given('engine', 'max_memory_gib') === undefined
    ? []
    : [
        problem(
          ['engine', 'max_memory_gib'],
          '`engine.max_memory_gib` has an effect only with `training.gradient_checkpointing` "auto"; remove one of the two',
        ),
      ];
};

/** Quantized weights stay as they are, and their settings are for them alone. */
const quantizationRule: Rule = (given) => {
  if (given('model', 'quantization') !== 'nf4') {
    return given('model', 'use_double_quant') !== true
      ? []
      : [
          problem(
            ['model', 'use_double_quant'],
            '`model.use_double_quant` has an effect only with `model.quantization` "nf4"; remove it or choose that quantization',
          ),
        ];
  }
  return given('training', 'method') === 'full'
    ? [
        problem(
          ['model', 'quantization'],
          '`model.quantization` "nf4" cannot be trained with the method "full", which changes the weights themselves; remove it or use the method "lorafa"',
        ),
      ]
    : [];
};

/** Products in eight bits are with frozen weights, which are made of those that the model has. */
const computeRule: Rule = (given) => {
  const compute = given('engine', 'compute') ?? 'float32';
  if (typeof compute !== 'string' || compute === 'float32') return [];
  if (given('model', 'quantization') === 'nf4') {
    return [
      problem(
        ['engine', 'compute'],
        `\`engine.compute\` "${compute}" cannot be had with \`model.quantization\` "nf4", whose weights are in four bits; remove one of the two`,
      ),
    ];
  }
  return given('training', 'method') === 'full'
    ? [
        problem(
          ['engine', 'compute'],
          `\`engine.compute\` "${compute}" cannot be had with the method "full", which changes the weights at every step; remove it or use the method "lorafa"`,
        ),
      ]
    : [];
};

/** Full fine-tuning has no adapter. */
function fullMethodRule(given: Given, loraKeys: readonly string[]): readonly PathProblem[] {
  if (given('training', 'method') !== 'full') return [];
  return loraKeys.map((key) =>
    problem(
      ['lora', key],
      `\`lora.${key}\` has no effect with the method "full", which trains every weight and no adapter; remove it`,
    ),
  );
}

/** Samples need prompts, and a base that stays as it is on disk. */
const sampleRule: Rule = (given) => {
  const hasPrompts = given('training', 'sample_prompts') !== undefined;
  if (hasPrompts && given('training', 'method') === 'full') {
    return [
      problem(
        ['training', 'sample_prompts'],
        '`training.sample_prompts` are answered by the base with the adapter, and the method "full" has none; remove them',
      ),
    ];
  }
  if (hasPrompts || given('training', 'sample_steps') === undefined) return [];
  return [
    problem(
      ['training', 'sample_steps'],
      '`training.sample_steps` has no effect without `training.sample_prompts`; give prompts, or remove it',
    ),
  ];
};

/** Reports have a folder, which is for nothing else. */
const reportRule: Rule = (given) => {
  const targets = given('training', 'report_to') ?? [];
  if (given('training', 'logging_dir') === undefined) return [];
  if (!Array.isArray(targets) || targets.length > 0) return [];
  const path = ['training', 'logging_dir'];
  return [
    problem(
      path,
      '`training.logging_dir` has no effect where `training.report_to` names no program; name one, or remove this',
      setValue(['training', 'report_to'], ['tensorboard']),
      { kind: 'remove', path },
    ),
  ];
};

/** An adapter that exists brings its own shape. */
function initAdapterRule(given: Given, loraKeys: readonly string[]): readonly PathProblem[] {
  if (given('lora', 'init_adapter') === undefined || given('training', 'method') === 'full') {
    return [];
  }
  return loraKeys
    .filter((key) => key !== 'init_adapter' && key !== 'lora_dropout')
    .map((key) =>
      problem(
        ['lora', key],
        `\`lora.${key}\` is decided by the adapter in \`lora.init_adapter\`; remove one of the two`,
      ),
    );
}

function isText(given: Given): boolean {
  return given('data', 'format') === 'text' || given('data', 'text_column') !== undefined;
}

function isTemplate(given: Given): boolean {
  return (
    given('data', 'format') === 'template' || given('data', 'completion_template') !== undefined
  );
}

/** Rows of a prompt and one completion. */
function isPair(given: Given): boolean {
  const keys = ['prompt_column', 'completion_column'];
  const isNamed = keys.some((key) => given('data', key) !== undefined);
  return given('data', 'format') === 'prompt_completion' || isNamed || isTemplate(given);
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}

function problem(path: ConfigPath, message: string, ...remedies: readonly Remedy[]): PathProblem {
  return {
    path,
    part: 'key',
    code: 'config.contradiction',
    message,
    remedies: remedies.length === 0 ? [{ kind: 'remove', path }] : remedies,
  };
}
