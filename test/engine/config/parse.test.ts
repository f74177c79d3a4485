import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, formatProblem } from '../../../engine/config/config-error.ts';
import { parseOverride } from '../../../engine/config/overrides.ts';
import { checkConfig, parseConfig, readConfig } from '../../../engine/config/parse.ts';

const FILE = '/runs/tune.lorafa.json';

const MINIMAL = {
  model: { base_model_name_or_path: './base' },
  data: { dataset_name_or_path: './rows.jsonl' },
  training: { output_dir: './out' },
};

/** The problems of a minimal configuration with some sections' keys added, as the user sees them. */
function problemsOf(changes: Record<string, Record<string, unknown>>): string[] {
  const config: Record<string, Record<string, unknown>> = structuredClone(MINIMAL);
  for (const [section, keys] of Object.entries(changes)) {
    config[section] = { ...config[section], ...keys };
  }
  return checkConfig(JSON.stringify(config), FILE).problems.map(({ message }) => message);
}

describe('a good configuration', () => {
  test('gets defaults and absolute paths', () => {
    const config = parseConfig(JSON.stringify(MINIMAL), FILE);
    expect(config.model.base_model_name_or_path).toBe(path.resolve('/runs/base'));
    expect(config.data.dataset_name_or_path).toBe(path.resolve('/runs/rows.jsonl'));
    expect(config.training.output_dir).toBe(path.resolve('/runs/out'));
    expect(config.training.method).toBe('lorafa');
    expect(config.lora).toEqual({
      r: 16,
      lora_alpha: 32,
      lora_dropout: 0,
      target_modules: 'all-linear',
      rank_pattern: {},
      alpha_pattern: {},
      use_rslora: false,
      bias: 'none',
    });
    expect(config.engine).toEqual({
      backend: 'onnxruntime',
      device: 'auto',
      intra_op_num_threads: 0,
      compute: 'float32',
      tf32: false,
    });
  });

  test.each([
    ['lorafa', 1e-6],
    ['lora', 1e-8],
    ['full', 1e-8],
  ])('with the method "%s" has an epsilon of %f unless it gives one', (method, epsilon) => {
    const training = { ...MINIMAL.training, method };
    const epsilonOf = (keys: object) =>
      parseConfig(JSON.stringify({ ...MINIMAL, training: { ...training, ...keys } }), FILE).training
        .adam_epsilon;
    expect(epsilonOf({})).toBe(epsilon);
    expect(epsilonOf({ adam_epsilon: 1e-3 })).toBe(1e-3);
  });

  test('may have comments, trailing commas and a byte-order mark', () => {
    const text = `\uFEFF// mine\n${JSON.stringify(MINIMAL).slice(0, -1)}, /* more */ }`;
    expect(parseConfig(text, FILE).training.seed).toBe(42);
  });

  test('keeps slices, "latest" and absolute paths, and knows the home folder', () => {
    const config = parseConfig(
      JSON.stringify({
        model: { base_model_name_or_path: '~/base' },
        data: {
          dataset_name_or_path: ['a.jsonl[:1000]', '/data/b.jsonl'],
          eval_dataset_name_or_path: 'a.jsonl[1000:1200]',
        },
        lora: { init_adapter: 'adapter' },
        training: { output_dir: '/out', resume_from_checkpoint: 'latest' },
      }),
      FILE,
    );
    expect(config.model.base_model_name_or_path).toBe(path.join(homedir(), 'base'));
    expect(config.data.dataset_name_or_path).toEqual([
      path.resolve('/runs/a.jsonl[:1000]'),
      path.resolve('/data/b.jsonl'),
    ]);
    expect(config.data.eval_dataset_name_or_path).toBe(path.resolve('/runs/a.jsonl[1000:1200]'));
    expect(config.lora.init_adapter).toBe(path.resolve('/runs/adapter'));
    expect(config.training.resume_from_checkpoint).toBe('latest');
  });
});

describe('positions', () => {
  test('all problems are found, in the order of the file', () => {
    const text = `{
  "model": { "base_model": "./base" },
  "data": { "dataset_name_or_path": 7 },
  "training": {
    "output_dir": "./out",
    "learning_rate": "3e-4",
    "max_step": 10
  },
}`;
    const { config, problems } = checkConfig(text, FILE);
    expect(config).toBeUndefined();
    expect(problems.map(formatProblem)).toEqual([
      `${FILE}:2:3: \`model.base_model_name_or_path\` is missing; it must be a string that is not empty`,
      `${FILE}:2:14: \`model.base_model\` is not a key; did you mean \`model.base_model_name_or_path\`?`,
      `${FILE}:3:37: \`data.dataset_name_or_path\` must be a string that is not empty or a list of strings that are not empty, not 7`,
      `${FILE}:6:22: \`training.learning_rate\` must be a number above 0, not "3e-4"`,
      `${FILE}:7:5: \`training.max_step\` is not a key; did you mean \`training.max_steps\`?`,
    ]);
  });

  test('the error carries them and names the first', () => {
    let thrown: unknown;
    try {
      parseConfig('{"model": {}, "mdel": {}}', FILE);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConfigError);
    const { message, problems, code, location } = thrown as ConfigError;
    expect(problems).toHaveLength(4);
    expect(code).toBe('config.invalid_value');
    expect(message).toMatch(/^\/runs\/tune\.lorafa\.json:1:1: .*\(and 3 more problems\)$/);
    expect(location).toMatchObject({ file: FILE, line: 1, column: 1 });
  });

  test('numbers that no machine or float32 has room for are refused', () => {
    const text = JSON.stringify({
      ...MINIMAL,
      lora: { lora_alpha: 1e300, alpha_pattern: { q_proj: 1e39 } },
      engine: { intra_op_num_threads: 100_000 },
    });
    expect(checkConfig(text, FILE).problems.map(({ message }) => message)).toEqual([
      '`lora.lora_alpha` must be a number above 0 and at most 1e+30, not 1e+300',
      '`lora.alpha_pattern.q_proj` must be a number above 0 and at most 1e+30, not 1e+39',
      '`engine.intra_op_num_threads` must be a whole number of at least 0 and at most 1024, not 100000',
    ]);
  });

  test.each([
    ['/', `the root of a disk (${path.resolve('/')})`],
    ['../../..', `the root of a disk (${path.resolve('/')})`],
    ['~', `your home folder (${homedir()})`],
    ['~/', `your home folder (${homedir()})`],
    [`${homedir()}/out/..`, `your home folder (${homedir()})`],
  ])('the output folder is not %s', (folder, what) => {
    const text = JSON.stringify({ ...MINIMAL, training: { output_dir: folder } });
    expect(checkConfig(text, FILE).problems).toMatchObject([
      {
        code: 'config.invalid_value',
        message: `\`training.output_dir\` is ${what}, and a run needs a folder of its own, such as "runs/tune"`,
        about: {
          remedies: [{ values: [{ path: ['training', 'output_dir'], value: 'runs/tune' }] }],
        },
      },
    ]);
  });

  test('says of numbers that overflow that they do', () => {
    const text = JSON.stringify({
      ...MINIMAL,
      training: { ...MINIMAL.training, learning_rate: 1, max_grad_norm: 1e39, max_steps: 1e17 },
      lora: { lora_alpha: 2 },
    });
    const written = text.replace('"learning_rate":1', '"learning_rate":1e400');
    const problems = checkConfig(written.replace('"lora_alpha":2', '"lora_alpha":-1e400'), FILE);
    expect(problems.problems.map(({ message }) => message)).toEqual([
      '`training.learning_rate` is a number beyond 3.4e38, the largest float32; it must be a number above 0',
      '`training.max_grad_norm` is a number beyond 3.4e38, the largest float32; it must be a number of at least 0',
      '`training.max_steps` is a number beyond 9007199254740991, the largest that is counted exactly; it must be a whole number of at least 1',
      '`lora.lora_alpha` is a number beyond 1.8e308, the largest that can be computed with; it must be a number above 0 and at most 1e+30',
    ]);
    const flag = parseOverride('training.learning_rate=1e400');
    expect(() => parseConfig(JSON.stringify(MINIMAL), FILE, [flag])).toThrow(
      '--set training.learning_rate=1e400: `training.learning_rate` is a number beyond 3.4e38',
    );
    // Steps that nobody can count would be a journal that nobody can read.
    expect(problemsOf({ training: { num_train_epochs: 1e300 } })).toEqual([
      '`training.num_train_epochs` must be a number above 0 and at most 1000000, not 1e+300',
    ]);
  });

  test.each([
    ['{ "model": { "a": 1 "b": 2 } }', '1:21', 'a comma should stand here'],
    ['{\r\n  "model": {\r\n', '3:1', 'a closing } is missing'],
    ['{ "model": nope }', '1:12', 'a value here is neither'],
    ['{ "model": "open', '1:12', 'a string is not closed'],
    ['', '1:1', 'a value should stand here'],
    ['// only a comment', '1:18', 'a value should stand here'],
    ['{} {}', '1:4', 'the file should end here'],
    ['{ "a": "\\x" }', '1:8', 'a backslash in a string must be doubled'],
  ])('broken syntax: %s', (text, position, words) => {
    const { problems } = checkConfig(text, FILE);
    expect(problems[0]?.code).toBe('config.syntax');
    expect(formatProblem(problems[0]!)).toMatch(`${FILE}:${position}: `);
    expect(problems[0]?.message).toContain(words);
  });

  test('nesting that would overflow the stack is one problem', () => {
    const { problems } = checkConfig('['.repeat(200_000), FILE);
    expect(problems.map(({ message }) => message)).toEqual([
      'this is not valid JSON: it is nested too deeply',
    ]);
  });

  test('a text of far too many parts, or far too long, is one problem', () => {
    const texts = [`{${'"a" 1 '.repeat(100_000)}`, '[]'.repeat(50_000), `{}${' '.repeat(2 ** 20)}`];
    expect(
      texts.map((text) => checkConfig(text, FILE).problems.map(({ message }) => message)),
    ).toEqual([
      ['this is not valid JSON: it is made of more parts than any configuration'],
      ['this is not valid JSON: it is made of more parts than any configuration'],
      ['this is not valid JSON: it is longer than any configuration'],
    ]);
  });

  test.each<[string, string, number]>([
    ['syntax', `{ ${'x '.repeat(15_000)}`, 100],
    ['keys that stand twice', `{${'"lora": 1, '.repeat(3_000)}"lora": 1}`, 200],
    ['unknown keys', `{${Array.from({ length: 3_000 }, (_, i) => `"k${i}": 1`).join(',\n')}}`, 200],
  ])('of very many mistakes the first are listed: %s', (_name, text, most) => {
    const { problems } = checkConfig(text, FILE);
    expect(problems.length).toBeGreaterThanOrEqual(100);
    expect(problems.length).toBeLessThanOrEqual(most);
  });

  test('a value of another kind contradicts nothing', () => {
    const text = JSON.stringify({ ...MINIMAL, engine: { compute: { toString: 1 } } });
    const withNf4 = text.replace('"model":{', '"model":{"quantization":"nf4",');
    expect(checkConfig(withNf4, FILE).problems.map(({ code }) => code)).toEqual([
      'config.invalid_value',
    ]);
  });

  test.each(['[]', '7', 'null', '"text"'])('something else than an object: %s', (text) => {
    expect(checkConfig(text, FILE).problems.map(({ message }) => message)).toEqual([
      `a run configuration must be an object, not ${text}`,
    ]);
  });

  test('a key that stands twice is an error at its second place', () => {
    const text = JSON.stringify(MINIMAL).replace('}}', ',\n"seed": 1, "seed": 2}}');
    const { problems } = checkConfig(text, FILE);
    expect(problems.map(formatProblem)).toEqual([
      `${FILE}:2:12: \`training.seed\` stands here a second time; keep one of the two`,
    ]);
  });

  test('"__proto__" is a key like any other', () => {
    const text = JSON.stringify(MINIMAL).replace('{', '{"__proto__": {"polluted": true},');
    expect(checkConfig(text, FILE).problems[0]?.code).toBe('config.unknown_key');
  });
});

describe('unknown keys', () => {
  test.each([
    [{ training: { learningRate: 1 } }, 'did you mean `training.learning_rate`?'],
    [{ lora: { learning_rate: 1 } }, '`learning_rate` belongs to `training`'],
    [{ lora: { lerning_rate: 1 } }, 'did you mean `training.learning_rate`?'],
    [{ model: { zzzz: 1 } }, 'the keys here are base_model_name_or_path'],
    [{ modle: {} }, '`modle` is not a key; did you mean `model`?'],
    [{ training: { lr_scheduler_kwargs: { minlr: 1 } } }, 'did you mean'],
    [{ zzzzzzzz: {} }, 'the sections are model, data, lora, training, engine'],
  ])('%j', (changes, expected) => {
    expect(problemsOf(changes).join('\n')).toContain(expected);
  });

  test('a key outside every section is shown its section', () => {
    const text = JSON.stringify({ ...MINIMAL, learning_rate: 1 });
    expect(checkConfig(text, FILE).problems[0]?.message).toBe(
      '`learning_rate` belongs to `training`',
    );
  });
});

describe('contradictions', () => {
  test.each<[Record<string, Record<string, unknown>>, string]>([
    [
      { data: { eval_split: 0.1, eval_dataset_name_or_path: 'e.jsonl' } },
      'both name the held-out rows',
    ],
    [{ training: { eval_steps: 5 } }, '`training.eval_steps` has no effect without held-out rows'],
    [{ training: { per_device_eval_batch_size: 5 } }, 'has no effect without held-out rows'],
    [{ training: { early_stopping_patience: 2 } }, 'has no effect without held-out rows'],
    [{ training: { logging_dir: 'logs' } }, 'where `training.report_to` names no program'],
    [
      { data: { eval_split: 2 }, training: { early_stopping_threshold: 0.1 } },
      'has no effect without `training.early_stopping_patience`',
    ],
    [
      { data: { eval_split: 2 }, training: { metric_for_best_model: 'eval_loss' } },
      'has no effect without `training.load_best_model_at_end` or',
    ],
    [
      { data: { format: 'text', prompt_template: '{q}', completion_template: '{a}' } },
      '`data.prompt_template` has no effect with format "text"',
    ],
    [{ data: { format: 'messages', text_column: 't' } }, 'set `data.format` to "text"'],
    [{ data: { text_column: 't', prompt_column: 'p' } }, 'rows of different shapes'],
    [{ data: { prompt_template: '{q}' } }, 'needs `data.completion_template` beside it'],
    [{ data: { format: 'template' } }, 'format "template" needs `data.completion_template`'],
    [{ data: { format: 'text', completion_only_loss: true } }, 'no effect on rows of plain text'],
    [
      { data: { text_column: 't', apply_chat_template: true } },
      'cannot be true for rows of plain text',
    ],
    [
      { data: { format: 'messages', apply_chat_template: false } },
      'cannot be false for chat turns',
    ],
    [{ data: { format: 'text', train_on: 'all' } }, 'no effect on rows of plain text'],
    [
      { data: { completion_column: 'c', train_on: 'last_assistant' } },
      'a prompt has one completion',
    ],
    [
      { data: { completion_only_loss: false, train_on: 'assistant' } },
      '`data.train_on` "assistant" and `data.completion_only_loss` false say different things',
    ],
    [
      { data: { completion_only_loss: true, train_on: 'all' } },
      '`data.train_on` "all" and `data.completion_only_loss` true say different things',
    ],
    [{ data: { text_column: 't', chat_template: 'x' } }, 'no effect on rows of plain text'],
    [
      { data: { apply_chat_template: false, chat_template: 'x' } },
      'no effect where `data.apply_chat_template` is false',
    ],
    [
      { data: { completion_template: '{a}', prompt_template: '{q}', chat_template: 'x' } },
      'no effect on rows that your own templates write',
    ],
    [
      { training: { num_train_epochs: 2.5, max_steps: 5 } },
      '`training.num_train_epochs` and `training.max_steps` both set the length of the run; keep one',
    ],
    [{ training: { warmup_steps: 1, warmup_ratio: 0.1 } }, 'both set the length of the warm-up'],
    [
      { training: { warmup_steps: 1, lr_scheduler_type: 'constant' } },
      'use "constant_with_warmup"',
    ],
    [
      { training: { lr_scheduler_kwargs: { min_lr: 1 } } },
      'only with the schedule "cosine_with_min_lr"',
    ],
    [{ training: { lr_scheduler_type: 'cosine_with_min_lr' } }, 'needs exactly one of'],
    [
      {
        training: {
          lr_scheduler_type: 'cosine_with_min_lr',
          lr_scheduler_kwargs: { min_lr: 0, min_lr_rate: 0 },
        },
      },
      'needs exactly one of',
    ],
    [
      { training: { method: 'full' }, lora: { r: 8 } },
      '`lora.r` has no effect with the method "full"',
    ],
    [
      {
        training: { gradient_checkpointing: 'layer' },
        engine: { device: 'cpu', max_memory_gib: 4 },
      },
      '`engine.max_memory_gib` has an effect only with',
    ],
    [{ lora: { init_adapter: 'a', r: 8 } }, '`lora.r` is decided by the adapter'],
    [
      { model: { quantization: 'nf4' }, training: { method: 'full' } },
      '`model.quantization` "nf4" cannot be trained with the method "full"',
    ],
    [{ model: { use_double_quant: true } }, 'only with `model.quantization` "nf4"'],
    [
      { engine: { compute: 'int8' }, model: { quantization: 'nf4' } },
      '`engine.compute` "int8" cannot be had with `model.quantization` "nf4"',
    ],
    [
      { engine: { compute: 'bfloat16' }, model: { quantization: 'nf4' } },
      'in four bits; remove one of the two, or set `engine.device` to "cuda"',
    ],
    [
      { engine: { compute: 'auto' }, training: { method: 'full' } },
      '`engine.compute` "auto" cannot be had with the method "full"',
    ],
    [
      { engine: { device: 'cuda:1', compute: 'int8' } },
      '`engine.compute` "int8" has no kernels for `engine.device` "cuda:1"; choose "bfloat16", or the device "cpu"',
    ],
    [
      { engine: { device: 'cuda', compute: 'bfloat16x2' } },
      '`engine.compute` "bfloat16x2" has no kernels for',
    ],
    [
      { engine: { device: 'webgpu', compute: 'bfloat16' } },
      '`engine.compute` "bfloat16" has no kernels for `engine.device` "webgpu"; choose "float32"',
    ],
    [{ engine: { device: 'cpu', tf32: true } }, '`engine.tf32` has an effect only on CUDA'],
    [{ training: { sample_steps: 5 } }, 'without `training.sample_prompts`'],
    [
      { training: { sample_prompts: ['Hi'], method: 'full' } },
      'answered by the base with the adapter',
    ],
  ])('%j', (changes, expected) => {
    const problems = problemsOf(changes);
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems.slice(0, 1)) expect(problem).toContain(expected);
  });

  test.each<[Record<string, Record<string, unknown>>]>([
    [{ data: { eval_split: 200 }, training: { eval_steps: 5, per_device_eval_batch_size: 2 } }],
    [{ data: { prompt_template: '{q}', completion_template: '{a}', apply_chat_template: true } }],
    [{ data: { format: 'text', completion_only_loss: false } }],
    [{ data: { completion_only_loss: false, train_on: 'all' } }],
    [{ data: { completion_only_loss: true, train_on: 'last_assistant' } }],
    [{ data: { prompt_column: 'p', train_on: 'assistant' } }],
    [{ training: { warmup_steps: 0, warmup_ratio: 0.1 } }],
    [{ training: { lr_scheduler_type: 'cosine_with_min_lr', lr_scheduler_kwargs: { min_lr: 0 } } }],
    [{ training: { num_train_epochs: 2.5 } }],
    [{ training: { max_steps: 5 } }],
    [{ lora: { init_adapter: 'a', lora_dropout: 0.1 } }],
    [{ training: { method: 'full' } }],
    [{ model: { quantization: 'none' }, training: { method: 'full' } }],
    [{ model: { quantization: 'nf4', use_double_quant: true } }],
    [{ model: { quantization: 'nf4' }, engine: { compute: 'float32' } }],
    [{ model: { quantization: 'none' }, engine: { compute: 'int8' } }],
    [{ model: { quantization: 'none', use_double_quant: false } }],
    [{ engine: { device: 'cuda:3' } }],
    [{ engine: { device: 'cuda', compute: 'bfloat16', tf32: true } }],
    [{ engine: { device: 'cuda', compute: 'bfloat16' }, model: { quantization: 'nf4' } }],
    [{ engine: { device: 'cuda:0', compute: 'auto' }, model: { quantization: 'nf4' } }],
    [{ engine: { device: 'webgpu', compute: 'auto' } }],
    [{ engine: { compute: 'int8', tf32: true } }],
    [{ engine: { device: 'cpu', tf32: false } }],
  ])('none in %j', (changes) => {
    expect(problemsOf(changes)).toEqual([]);
  });

  test('each is shown at its key', () => {
    const text = JSON.stringify(MINIMAL).replace('}}', ',\n "eval_steps": 5}}');
    expect(checkConfig(text, FILE).problems[0]).toMatchObject({ line: 2, column: 2 });
  });
});

describe('overrides', () => {
  test.each([
    ['training.max_steps=10', ['training', 'max_steps'], 10],
    ['training.output_dir=./a=b', ['training', 'output_dir'], './a=b'],
    ['lora.target_modules=["q_proj"]', ['lora', 'target_modules'], ['q_proj']],
    ['lora.rank_pattern.layers.0.q_proj=4', ['lora', 'rank_pattern', 'layers.0.q_proj'], 4],
    ['data.prompt_template=', ['data', 'prompt_template'], ''],
  ])('%s', (argument, at, value) => {
    expect(parseOverride(argument)).toEqual({ path: at, value, flag: `--set ${argument}` });
  });

  test.each(['training.max_steps', 'max_steps=3', '=3', '.a=3', ''])(
    '%j is refused',
    (argument) => {
      expect(() => parseOverride(argument)).toThrow(
        `--set ${argument}: write it as section.key=value`,
      );
    },
  );

  test('replace, add and remove keys', () => {
    const text = JSON.stringify({ ...MINIMAL, lora: { r: 4, lora_alpha: 1 } });
    const overrides = ['training.max_steps=5', 'lora.r=8', 'lora.lora_alpha=null', 'lora.r=9'];
    const config = parseConfig(text, FILE, overrides.map(parseOverride));
    expect(config.training.max_steps).toBe(5);
    expect(config.lora.r).toBe(9);
    expect(config.lora.lora_alpha).toBe(32);
  });

  describe('of the length of a run', () => {
    const steps = 'training.max_steps=5';
    const epochs = 'training.num_train_epochs=2';
    const check = (training: object, ...overrides: string[]) =>
      checkConfig(
        JSON.stringify({ ...MINIMAL, training: { ...MINIMAL.training, ...training } }),
        FILE,
        overrides.map(parseOverride),
      );

    test('by either key replace what the file says by the other', () => {
      const withSteps = check({ num_train_epochs: 2 }, steps);
      expect(withSteps.config?.training).toMatchObject({ num_train_epochs: 3, max_steps: 5 });
      const withEpochs = check({ max_steps: 5 }, epochs);
      expect(withEpochs.config?.training).toMatchObject({ num_train_epochs: 2 });
      expect(withEpochs.config?.training).not.toHaveProperty('max_steps');
    });

    test.each([[[steps, epochs]], [[epochs, steps]]])('by both %j are refused', (overrides) => {
      expect(check({}, ...overrides).problems.map(formatProblem)).toEqual([
        expect.stringContaining(`--set ${epochs}: \`training.num_train_epochs\` and`),
      ]);
    });

    test('that take a key away leave the other', () => {
      const both = { num_train_epochs: 2, max_steps: 5 };
      expect(check(both, 'training.max_steps=null').config?.training).toMatchObject({
        num_train_epochs: 2,
      });
      expect(check({}, steps, 'training.num_train_epochs=null').problems).toEqual([]);
    });
  });

  test('their mistakes name the flag, those of the file keep their lines', () => {
    const text = JSON.stringify(MINIMAL).replace('}}', ',\n"seed": -1}}');
    const overrides = ['training.max_steps=ten', 'training.nope=1', 'engine.devise=cpu'];
    const { problems } = checkConfig(text, FILE, overrides.map(parseOverride));
    expect(problems.map(formatProblem)).toEqual(
      [
        `${FILE}:2:9: \`training.seed\` must be a whole number of at least 0, not -1`,
        '--set training.max_steps=ten: `training.max_steps` must be a whole number of at least 1, not "ten"',
        '--set training.nope=1: `training.nope` is not a key; the nearest here are ',
        '--set engine.devise=cpu: `engine.devise` is not a key; did you mean `engine.device`?',
      ].map((expected) => expect.stringContaining(expected)),
    );
  });

  test('do not hide that the file or a section is not an object', () => {
    const override = [parseOverride('lora.r=8')];
    expect(checkConfig('[]', FILE, override).problems).toHaveLength(1);
    const text = JSON.stringify({ ...MINIMAL, lora: 5 });
    expect(checkConfig(text, FILE, override).problems[0]?.message).toBe(
      '`lora` must be an object, not 5',
    );
  });
});

describe('files', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'lorafa-config-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('a name on the Hub stays one, and is a path where something of that name lies here', async () => {
    const file = path.join(folder, 'hub.lorafa.json');
    const config = structuredClone(MINIMAL);
    config.model.base_model_name_or_path = 'meta-llama/Llama-3.2-1B';
    config.data.dataset_name_or_path = 'meta-math/MetaMathQA-40K[:10]';
    await writeFile(file, JSON.stringify(config));
    const before = await readConfig(file);
    expect(before.model.base_model_name_or_path).toBe('meta-llama/Llama-3.2-1B');
    expect(before.data.dataset_name_or_path).toBe('meta-math/MetaMathQA-40K[:10]');
    await mkdir(path.join(folder, 'meta-llama/Llama-3.2-1B'), { recursive: true });
    await mkdir(path.join(folder, 'meta-math/MetaMathQA-40K'), { recursive: true });
    const after = await readConfig(file);
    expect(after.model.base_model_name_or_path).toBe(path.join(folder, 'meta-llama/Llama-3.2-1B'));
    expect(after.data.dataset_name_or_path).toBe(
      path.join(folder, 'meta-math/MetaMathQA-40K[:10]'),
    );
  });

  test('a missing file and one that is not UTF-8', async () => {
    const missing = path.join(folder, 'missing.lorafa.json');
    await expect(readConfig(missing)).rejects.toMatchObject({
      code: 'config.not_found',
      message: expect.stringMatching(/missing\.lorafa\.json: .*; check the path\.$/) as string,
    });
    await writeFile(path.join(folder, 'mission.lorafa.json'), '{}');
    await expect(readConfig(missing)).rejects.toThrow(
      `; did you mean ${path.join(folder, 'mission.lorafa.json')}?`,
    );
    await rm(path.join(folder, 'mission.lorafa.json'));
    const binary = path.join(folder, 'binary.lorafa.json');
    await writeFile(binary, Uint8Array.of(0x7b, 0xff, 0x7d));
    await expect(readConfig(binary)).rejects.toMatchObject({ code: 'config.syntax' });
  });
});
