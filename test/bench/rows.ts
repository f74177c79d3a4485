import { Random } from '../../engine/random.ts';
import type { BenchGroup, BenchRow, EngineRow, PeftRow, PeftSettings } from './bench-row.ts';
import type { ModelShape } from './model-shapes.ts';
import type { Settings } from './run-config.ts';

/** Batches of examples of one length, by the names that rows have for them. */
interface Shape {
  readonly name: string;
  readonly model: ModelShape;
  readonly batchSize: number;
  readonly length: number;
  /** Measured steps of a sample; {@link STEPS} unless given. */
  readonly steps?: number;
}

/** Two, with one to warm up before them: all rows together are to take less than half an hour. */
const STEPS = 2;

const RECOMPUTE = 'training.gradient_checkpointing';
const QUERY_AND_VALUE = ['q_proj', 'v_proj'];

/** Settings of this engine by the names that rows have for them. */
const MODES = {
  none: { label: 'float32', settings: {} },
  attention: { label: 'float32, recompute attention', settings: { [RECOMPUTE]: 'attention' } },
  layer: { label: 'float32, recompute layer', settings: { [RECOMPUTE]: 'layer' } },
  nf4: { label: 'NF4', settings: { 'model.quantization': 'nf4' } },
  'nf4-layer': {
    label: 'NF4, recompute layer',
    settings: { 'model.quantization': 'nf4', [RECOMPUTE]: 'layer' },
  },
  int8: { label: 'int8', settings: { 'engine.compute': 'int8' } },
  bfloat16: { label: 'bfloat16', settings: { 'engine.compute': 'bfloat16' } },
  bfloat16x2: { label: 'bfloat16x2', settings: { 'engine.compute': 'bfloat16x2' } },
  'bfloat16-layer': {
    label: 'bfloat16, recompute layer',
    settings: { 'engine.compute': 'bfloat16', [RECOMPUTE]: 'layer' },
  },
  auto: { label: 'compute auto', settings: { 'engine.compute': 'auto' } },
  'auto-layer': {
    label: 'compute auto, recompute layer',
    settings: { 'engine.compute': 'auto', [RECOMPUTE]: 'layer' },
  },
} as const satisfies Readonly<
  Record<string, { readonly label: string; readonly settings: Settings }>
>;

type Mode = keyof typeof MODES;

/** All settings of PEFT. */
const PEFT_MODES: readonly PeftSettings[] = (['float32', 'autocast', 'bfloat16'] as const).flatMap(
  (precision) =>
    [false, true].flatMap((gradientCheckpointing) =>
      (['default', 'keep', 'jemalloc'] as const).map((allocator) => ({
        precision,
        gradientCheckpointing,
        allocator,
      })),
    ),
);

/** Those of them that are worth their time on more than one shape. */
const MAIN_PEFT_MODES: readonly PeftSettings[] = [
  { precision: 'float32', gradientCheckpointing: false, allocator: 'default' },
  { precision: 'float32', gradientCheckpointing: false, allocator: 'keep' },
  { precision: 'float32', gradientCheckpointing: true, allocator: 'default' },
  { precision: 'autocast', gradientCheckpointing: false, allocator: 'keep' },
  { precision: 'bfloat16', gradientCheckpointing: false, allocator: 'keep' },
];

/** The large model in float32 would need more memory than many machines have. */
const LARGE_PEFT_MODES: readonly PeftSettings[] = [
  { precision: 'bfloat16', gradientCheckpointing: false, allocator: 'default' },
  { precision: 'bfloat16', gradientCheckpointing: true, allocator: 'default' },
];

/** All groups, in the order in which they run. */
export function benchGroups(): readonly BenchGroup[] {
  return [
    modes(
      { name: '135m-1x512', model: '135m', batchSize: 1, length: 512, steps: 3 },
      'SmolLM2-135M, 1 × 512',
      ['none', 'attention', 'layer', 'nf4', 'int8', 'bfloat16', 'bfloat16x2', 'auto'],
      PEFT_MODES,
    ),
    modes(
      { name: '135m-4x256', model: '135m', batchSize: 4, length: 256 },
      'SmolLM2-135M, 4 × 256',
      ['none', 'layer', 'bfloat16', 'bfloat16x2', 'auto'],
      MAIN_PEFT_MODES,
    ),
    modes(
      { name: '135m-1x2048', model: '135m', batchSize: 1, length: 2048 },
      'SmolLM2-135M, 1 × 2,048',
      ['attention', 'bfloat16', 'auto-layer'],
      MAIN_PEFT_MODES,
    ),
    modes(
      { name: '1.1b-1x256', model: '1.1b', batchSize: 1, length: 256 },
      '1.1B Llama, 1 × 256',
      ['layer', 'nf4-layer', 'bfloat16', 'bfloat16-layer'],
      LARGE_PEFT_MODES,
    ),
    methods(),
    ...scaling(),
    packing(),
    flatMemory(),
    besides(),
    tiny(),
  ];
}

/** A shape in modes of this engine and in settings of PEFT. */
function modes(
  shape: Shape,
  title: string,
  own: readonly Mode[],
  theirs: readonly PeftSettings[],
): BenchGroup {
  const rows = [
    ...own.map((name) => engineRow(shape, name, MODES[name])),
    ...theirs.map((settings) => peftRow(shape, settings)),
  ];
  return { name: shape.name, title, samples: 2, rows };
}

/** LoRA against LoRA-FA. */
function methods(): BenchGroup {
  const shape: Shape = { name: 'lora', model: '135m', batchSize: 1, length: 256 };
  const rows = (['none', 'layer'] as const).flatMap((recompute) =>
    (['qv', 'all'] as const).flatMap((targets) =>
      [16, 128].flatMap((r) =>
        (['lora', 'lorafa'] as const).map((method) =>
          engineRow(shape, `r${r}-${targets}-${recompute}-${method}`, {
            label: `${method === 'lora' ? 'LoRA' : 'LoRA-FA'}, r = ${r}, ${targets === 'qv' ? 'q/v' : 'all linear'}, recompute ${recompute}`,
            settings: {
              'training.method': method,
              'lora.r': r,
              'lora.lora_alpha': 2 * r,
              'lora.target_modules': targets === 'qv' ? QUERY_AND_VALUE : 'all-linear',
              [RECOMPUTE]: recompute,
            },
          }),
        ),
      ),
    ),
  );
  return { name: 'lora', title: 'LoRA against LoRA-FA, SmolLM2-135M, 1 × 256', samples: 2, rows };
}

/** How time and memory grow with each size while the others stay. */
function scaling(): readonly BenchGroup[] {
  const base = { model: '135m', batchSize: 1 } as const;
  const layerCounts = [
    [6, '135m-6-layers'],
    [12, '135m-12-layers'],
    [18, '135m-18-layers'],
    [24, '135m-24-layers'],
    [30, '135m'],
  ] as const;
  const group = (name: string, title: string, rows: readonly BenchRow[]): BenchGroup => ({
    name,
    title: `SmolLM2-135M by ${title}`,
    samples: 1,
    rows,
  });
  return [
    group(
      'length',
      'sequence length, 1 row',
      [128, 256, 512, 1024, 2048].flatMap((length) =>
        (['none', 'layer'] as const).map((mode) =>
          engineRow({ ...base, name: 'length', length }, `${length}-${mode}`, {
            ...MODES[mode],
            label: `${length} tokens, ${MODES[mode].label}`,
          }),
        ),
      ),
    ),
    group(
      'batch',
      'batch size, rows of 128 tokens',
      [1, 2, 4, 8].map((batchSize) =>
        engineRow({ ...base, name: 'batch', batchSize, length: 128 }, String(batchSize), {
          label: `${batchSize} × 128`,
          settings: {},
        }),
      ),
    ),
    group(
      'rank',
      'rank, 1 × 256',
      [8, 16, 32, 64, 128].map((r) =>
        engineRow({ ...base, name: 'rank', length: 256 }, String(r), {
          label: `r = ${r}`,
          settings: { 'lora.r': r, 'lora.lora_alpha': 2 * r },
        }),
      ),
    ),
    group(
      'layers',
      'layers, 1 × 256',
      layerCounts.map(([count, model]) =>
        engineRow({ ...base, model, name: 'layers', length: 256 }, String(count), {
          label: `${count} layers`,
          settings: {},
        }),
      ),
    ),
  ];
}

/** Short examples in rows of their own and together in longer ones. */
function packing(): BenchGroup {
  const row = (name: string, label: string, batchSize: number, packing: boolean): EngineRow => ({
    kind: 'engine',
    name: `packing-${name}`,
    label,
    model: '135m',
    batchSize,
    lengths: randomLengths(200, 32, 160),
    steps: 6,
    warmupSteps: 2,
    settings: { 'data.packing': packing, 'data.max_length': 512 },
  });
  return {
    name: 'packing',
    title: 'Examples of 32 to 160 tokens, SmolLM2-135M',
    samples: 2,
    rows: [
      row('padded', '4 examples a step, grouped by length and padded', 4, false),
      row('packed', '1 row of 512 tokens a step, packed', 1, true),
    ],
  };
}

/** Many steps of many lengths: resident memory is to stay where it is. */
function flatMemory(): BenchGroup {
  const row: EngineRow = {
    kind: 'engine',
    name: 'flat-memory',
    label: 'examples of 16 to 192 tokens, padded to multiples of 64',
    model: '135m-6-layers',
    batchSize: 1,
    lengths: randomLengths(100, 16, 192),
    steps: 480,
    warmupSteps: 20,
    // In random order, so that every shape has come up before memory is to stay the same.
    settings: { 'data.max_length': 192, 'data.group_by_length': false },
  };
  return {
    name: 'flat-memory',
    title: '500 steps of varying lengths, six layers of SmolLM2-135M',
    samples: 1,
    rows: [row],
  };
}

/** What a run does besides its steps, after each of them: whether its memory is what `lorafa plan` says. */
function besides(): BenchGroup {
  const evaluation: Settings = {
    'data.eval_split': 16,
    'training.eval_steps': 1,
    'training.per_device_eval_batch_size': 8,
  };
  const answers: Settings = {
    'training.sample_prompts': ['Tell me about it. '.repeat(20)],
    'training.sample_steps': 1,
  };
  const row = (name: string, label: string, settings: Settings): EngineRow => ({
    kind: 'engine',
    name: `besides-${name}`,
    label,
    model: '135m',
    batchSize: 1,
    lengths: Array.from({ length: 20 }, () => 256),
    steps: 2,
    warmupSteps: 1,
    settings,
  });
  return {
    name: 'besides',
    title: 'Evaluation and answers after every step, SmolLM2-135M, 1 × 256',
    samples: 1,
    rows: [
      row('nothing', 'neither', {}),
      row('evaluation', 'evaluation, 8 × 256', evaluation),
      row('answers', 'answers', answers),
      row('both', 'both', { ...evaluation, ...answers }),
      row('both-layer', 'both, recompute layer', {
        ...evaluation,
        ...answers,
        ...MODES.layer.settings,
      }),
      row('answers-nf4', 'answers, NF4', { ...answers, ...MODES.nf4.settings }),
      row('answers-int8', 'answers, int8', { ...answers, ...MODES.int8.settings }),
    ],
    byNameAlone: true,
  };
}

/** Says nothing about speed: it is for trying the harness within seconds. */
function tiny(): BenchGroup {
  const shape: Shape = { name: 'tiny', model: 'tiny', batchSize: 2, length: 32 };
  const title = 'A tiny model, 2 × 32';
  return { ...modes(shape, title, ['none', 'layer', 'auto'], MAIN_PEFT_MODES), byNameAlone: true };
}

function randomLengths(count: number, least: number, most: number): number[] {
  const random = new Random(0);
  return Array.from({ length: count }, () => least + random.below(most - least + 1));
}

function engineRow(
  shape: Shape,
  name: string,
  { label, settings }: { readonly label: string; readonly settings: Settings },
): EngineRow {
  return { ...rowOf(shape, name, label), kind: 'engine', settings };
}

function peftRow(shape: Shape, settings: PeftSettings): PeftRow {
  const { precision, gradientCheckpointing, allocator } = settings;
  const name = [
    'peft',
    precision,
    ...(gradientCheckpointing ? ['checkpointing'] : []),
    ...(allocator === 'default' ? [] : [allocator]),
  ];
  const label = [
    `PEFT ${precision}`,
    ...(gradientCheckpointing ? ['gradient checkpointing'] : []),
    ...(allocator === 'default' ? [] : [`allocator ${allocator}`]),
  ];
  return { ...rowOf(shape, name.join('-'), label.join(', ')), kind: 'peft', peft: settings };
}

function rowOf(shape: Shape, name: string, label: string) {
  const { model, batchSize, length, steps = STEPS } = shape;
  return {
    name: `${shape.name}-${name}`,
    label,
    model,
    batchSize,
    lengths: Array.from({ length: batchSize }, () => length),
    steps,
    warmupSteps: 1,
  };
}
