import { isRowResult, type ResultLine, type RowResult } from './row-result.ts';

/** Something that is aimed at, and whether this run reached it. */
export interface Reach {
  readonly aim: string;
  /** What was measured, in words; undefined where its rows are missing. */
  readonly measured?: string;
  readonly passed?: boolean;
}

/** Shapes of the small model on which PEFT is measured as well. */
const SMALL_SHAPES = ['135m-1x512', '135m-4x256', '135m-1x2048'];

/** Two medians of the same speed differ by so much on a machine that does nothing else. */
const NOISE = 0.02;

/** Compares the rows of one run with what is aimed at. */
export function reaches(lines: readonly ResultLine[]): Reach[] {
  const rows = lines.filter(isRowResult);
  const find = (name: string) => rows.find((row) => row.name === name);
  return [
    ...SMALL_SHAPES.map((shape) => float32Reach(rows, shape)),
    ...SMALL_SHAPES.map((shape) =>
      roundedReach(rows, shape, ['bfloat16'], { speed: 1.5, memory: 0.6 }),
    ),
    ...SMALL_SHAPES.slice(0, 2).map((shape) =>
      roundedReach(rows, shape, ['bfloat16x2'], { speed: 1, memory: Infinity }),
    ),
    roundedReach(rows, '1.1b-1x256', ['bfloat16', 'bfloat16-layer'], { speed: 1.2, memory: 0.7 }),
    ...SMALL_SHAPES.map((shape) => sameLossReach(rows, shape)),
    below(
      '1.1B in bfloat16 with recomputed layers: under 3.5 GB beside the mapped weights',
      find('1.1b-1x256-layer')?.peak_anonymous_bytes,
      3.5e9,
    ),
    below(
      '1.1B in NF4 with recomputed layers: under 2 GB in all',
      find('1.1b-1x256-nf4-layer')?.peak_rss_bytes,
      2e9,
    ),
    ...loraReaches(rows),
    growthReach(find('flat-memory')),
    predictionReach(rows),
  ];
}

/** One float32 mode of ours is to be faster and leaner at once than PEFT's fastest float32. */
function float32Reach(rows: readonly RowResult[], shape: string): Reach {
  const aim = `${shape}: a float32 mode with at least 1.3 x the tokens/s of PEFT in float32 and at most 0.5 x its memory`;
  const theirs = fastest(rows.filter(({ name }) => name.startsWith(`${shape}-peft-float32`)));
  const ours = ['none', 'attention', 'layer'].flatMap((mode) =>
    rows.filter(({ name }) => name === `${shape}-${mode}`),
  );
  if (theirs === undefined || ours.length === 0) return { aim };
  const ratios = ours.map((row) => ({
    name: row.name,
    speed: row.tokens_per_second / theirs.tokens_per_second,
    memory: row.peak_rss_bytes / theirs.peak_rss_bytes,
  }));
  const measured = ratios
    .map(({ name, speed, memory }) => `${name} ${times(speed)} tokens/s, ${times(memory)} memory`)
    .join('; ');
  const passed = ratios.some(({ speed, memory }) => speed >= 1.3 && memory <= 0.5);
  return { aim, measured: `${measured} (${theirs.name} = 1)`, passed };
}

/**
 * One mode of ours that is no less exact than PEFT in bfloat16, against whatever is fastest in PEFT.
 *
 * @param modes of ours, as the names of rows have them
 */
function roundedReach(
  rows: readonly RowResult[],
  shape: string,
  modes: readonly string[],
  aims: { readonly speed: number; readonly memory: number },
): Reach {
  const aim = `${shape}: ${modes.join(' or ')} with at least ${aims.speed} x the tokens/s of PEFT's best setting${aims.memory === Infinity ? '' : ` and at most ${aims.memory} x its memory`}`;
  const theirs = fastest(rows.filter(({ name }) => name.startsWith(`${shape}-peft-`)));
  const ours = fastest(
    rows.filter(({ name }) => modes.some((mode) => name === `${shape}-${mode}`)),
  );
  if (theirs === undefined || ours === undefined) return { aim };
  const speed = ours.tokens_per_second / theirs.tokens_per_second;
  const memory = ours.peak_rss_bytes / theirs.peak_rss_bytes;
  return {
    aim,
    measured: `${ours.name} ${times(speed)} tokens/s, ${times(memory)} memory (${theirs.name} = 1)`,
    passed: speed >= aims.speed && memory <= aims.memory,
  };
}

/** B is zero at first, so the first loss is the base's: it shows that both compute the same. */
function sameLossReach(rows: readonly RowResult[], shape: string): Reach {
  const aim = `${shape}: the first loss of PEFT in float32 and of this engine differ by less than 1e-3`;
  const theirs = rows.find(({ name }) => name.startsWith(`${shape}-peft-float32`));
  const ours = rows.find(({ name }) => name === `${shape}-none` || name === `${shape}-attention`);
  if (theirs === undefined || ours === undefined) return { aim };
  const difference = Math.abs(theirs.first_loss - ours.first_loss);
  return { aim, measured: difference.toExponential(1), passed: difference < 1e-3 };
}

/** LoRA-FA against LoRA, pair by pair: bytes exactly as in theory, and never slower. */
function loraReaches(rows: readonly RowResult[]): Reach[] {
  const pairs = rows.flatMap((lora) => {
    const stem = /^(lora-.+)-lora$/.exec(lora.name)?.[1];
    const lorafa = rows.find(({ name }) => name === `${stem}-lorafa`);
    return lorafa === undefined ? [] : [{ name: stem!, lora, lorafa }];
  });
  const saved = pairs
    .filter(({ name }) => name.endsWith('-none'))
    .map(({ name, lora, lorafa }) => ({
      name,
      bytes: lora.activation_bytes! - lorafa.activation_bytes!,
      theory: lora.lora_input_bytes!,
    }));
  const speeds = pairs.map(({ name, lora, lorafa }) => ({
    name,
    ratio: lora.step_ms / lorafa.step_ms,
  }));
  return [
    verdict(
      'LoRA-FA keeps exactly the inputs of adapted layers less than LoRA, where nothing is recomputed',
      saved.map(({ name, bytes, theory }) => `${name} ${mega(bytes)} of ${mega(theory)}`),
      saved.every(({ bytes, theory }) => bytes === theory),
    ),
    verdict(
      `LoRA-FA is never slower than LoRA (${100 * NOISE} % of noise)`,
      speeds.map(({ name, ratio }) => `${name} ${times(ratio)}`),
      speeds.every(({ ratio }) => ratio >= 1 - NOISE),
    ),
  ];
}

function growthReach(row: RowResult | undefined): Reach {
  const aim =
    '500 steps of varying lengths: memory (each page once) grows by less than 2 % after step 20';
  const { pss_growth: growth = null, pss_excess: excess = null } = row ?? {};
  if (growth === null || excess === null) return { aim };
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return {
    aim,
    measured: `${percent(growth)} from the first fifth of these steps to the last by their medians, ${percent(excess)} from the largest of steps 1 to 20 to the largest after`,
    passed: growth < 0.02,
  };
}

function predictionReach(rows: readonly RowResult[]): Reach {
  const errors = rows.flatMap(({ name, predicted_bytes: predicted, peak_rss_bytes: peak }) =>
    predicted === null ? [] : [{ name, error: predicted / peak - 1 }],
  );
  const good = errors.filter(({ error }) => Math.abs(error) <= 0.1);
  const worst = errors.toSorted((a, b) => Math.abs(b.error) - Math.abs(a.error))[0];
  return verdict(
    '`lorafa plan` predicts the peak within 10 % on at least 6 configurations',
    worst === undefined || errors.length < 6
      ? []
      : [
          `${good.length} of ${errors.length}, worst ${(100 * worst.error).toFixed(0)} % (${worst.name})`,
        ],
    good.length >= 6,
  );
}

function below(aim: string, bytes: number | null | undefined, limit: number): Reach {
  return bytes == null ? { aim } : { aim, measured: mega(bytes), passed: bytes < limit };
}

function verdict(aim: string, measured: readonly string[], passed: boolean): Reach {
  return measured.length === 0 ? { aim } : { aim, measured: measured.join('; '), passed };
}

function fastest(rows: readonly RowResult[]): RowResult | undefined {
  return rows.toSorted((a, b) => b.tokens_per_second - a.tokens_per_second)[0];
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)} x`;
}

function mega(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
