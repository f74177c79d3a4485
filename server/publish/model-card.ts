import { createHash } from 'node:crypto';
import { CURVE_FILE } from '../../engine/lora/adapter.ts';
import type { SplitReport } from '../../engine/plan/plan-reports.ts';
import { formatCount, formatPerplexity } from '../format.ts';
import { plainLine } from '../plain-text.ts';
import { shellWord } from '../shell-word.ts';
import { type CardFacts, type PublicName, publicName, type RunFacts } from './card-facts.ts';

/** Where whoever reads a card finds the adapter, and what is beside it. */
export interface CardPlace {
  /** `owner/name` on the Hub; undefined for a folder. */
  readonly repository?: string | undefined;
  /** Whether {@link CURVE_FILE} is there. */
  readonly hasCurve: boolean;
}

/** More of a name is of no use to anybody. */
const LONGEST_NAME = 200;

/**
 * The card of an adapter as the Hub reads it: what is known of it in YAML, then for people.
 *
 * Source: https://huggingface.co/docs/hub/model-cards
 */
export function modelCard(facts: CardFacts, place: CardPlace): string {
  const { run } = facts;
  const sections = [
    frontMatter(facts),
    `# ${escaped(facts.name)}`,
    whatItIs(facts),
    ...(run === null ? [] : [results(run, place.hasCurve), dataOf(run), configuration(facts, run)]),
    ...(run === null ? [bareConfiguration(facts)] : []),
    loading({ ...loadedBase(facts), ...facts }, place),
  ];
  return marked(`${sections.filter((each) => each !== '').join('\n\n')}\n`);
}

/** A card with the line by which it is known that nobody has changed it. */
function marked(text: string): string {
  return `${text}\n${MARK}${digestOf(text)} -->\n`;
}

const MARK = '<!-- Written by LoRA-FA; a card that somebody changed is left alone: ';

/** Whether a card is one of {@link modelCard} that nobody has changed. */
export function isUnchangedCard(card: string): boolean {
  const text = card.replaceAll('\r\n', '\n');
  const at = text.lastIndexOf(`\n${MARK}`);
  return at >= 0 && text.slice(at) === `\n${MARK}${digestOf(text.slice(0, at))} -->\n`;
}

/**
 * A card of {@link modelCard} that nobody has changed, for another place: it says what its adapter's folder no longer
 * tells, and how to load the adapter from where it is now.
 *
 * @returns undefined for a card of another version, which says that in another way
 */
export function movedCard(
  card: string,
  facts: Pick<CardFacts, 'name' | 'hasChatTemplate'>,
  place: CardPlace,
): string | undefined {
  const text = card.replaceAll('\r\n', '\n');
  const at = text.lastIndexOf(`\n${LOADING}\n`) + 1;
  const before = text.slice(0, at);
  const code = text.slice(at);
  const model = jsonText(/^base = (".*")$/m.exec(code)?.[1]);
  if (at === 0 || model === undefined) return undefined;
  const gguf = jsonText(/, gguf_file=(".*")\)$/m.exec(code)?.[1]);
  const base = { model, gguf, isInNf4: code.includes(IN_NF4) };
  const shown = place.hasCurve ? before : before.replace(`${CURVE}\n\n`, '');
  return marked(`${shown}${loading({ ...base, ...facts }, place)}\n`);
}

/** A text in JSON. */
function jsonText(json = ''): string | undefined {
  try {
    return String(JSON.parse(json));
  } catch {
    return undefined;
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Only what is sure: the Hub refuses a card that names as base what is no name there. */
function frontMatter({ base, license, run }: CardFacts): string {
  const sets = [
    ...new Set(
      run === null
        ? []
        : dataNames(run)
            .filter(({ isOnHub }) => isOnHub)
            .map(({ name }) => name),
    ),
  ];
  return [
    '---',
    ...(base?.isOnHub ? [`base_model: ${JSON.stringify(base.name)}`] : []),
    'library_name: peft',
    'pipeline_tag: text-generation',
    ...Object.entries(license ?? {}).map(([key, value]) => `${key}: ${JSON.stringify(value)}`),
    ...(sets.length > 0 ? ['datasets:', ...sets.map((name) => `- ${JSON.stringify(name)}`)] : []),
    'tags:',
    '- lora',
    '- lorafa',
    '---',
  ].join('\n');
}

const METHODS = {
  lorafa: 'trained with LoRA-FA: its B matrices were learned, its A matrices stayed as they began',
  lora: 'trained with LoRA',
  full: 'trained',
} as const;

function whatItIs({ base, run, license }: CardFacts): string {
  const of = base === null ? '' : ` for ${linked(base, '')}`;
  const how =
    run === null
      ? '. Nothing is known of its training'
      : `, ${METHODS[run.config.training.method]}`;
  const terms =
    license === null || base === null
      ? ''
      : ` The base model's licence (${escaped(license.license_name ?? license.license)}) holds for what is made of it.`;
  return `A LoRA adapter in PEFT's format${of}${how}.${terms}`;
}

const CURVE = `![Loss over the steps of the run](${CURVE_FILE})`;

/** What was measured on held-out rows, or else on those that were learned, before and after. */
function results({ rows, step, summary, sharedRows }: RunFacts, hasCurve: boolean): string {
  const done = rows.filter((row) => step === null || Number(row.step) <= step);
  const held = done.filter((row) => typeof row.eval_loss === 'number');
  const [first, last] = [held[0], held.at(-1)];
  const picture = hasCurve ? [CURVE] : [];
  if (first === undefined || last === undefined) {
    const losses = done.map(({ loss }) => loss).filter((loss) => typeof loss === 'number');
    if (losses.length === 0) return '';
    const few = losses.slice(-SOME);
    const mean = few.reduce((sum, loss) => sum + loss, 0) / few.length;
    return [
      '## Results',
      `No rows were held out. The training loss was ${losses[0]!.toFixed(4)} at the first report and ${mean.toFixed(4)} in the mean of the last ${few.length}.`,
      ...picture,
    ].join('\n\n');
  }
  const at = (row: typeof first): string => {
    if (row.step === 0) return 'before training';
    const isBest =
      row.step === step &&
      rows.every(({ eval_loss: loss }) => !(Number(loss ?? Infinity) < Number(row.eval_loss)));
    const best = isBest ? ', the best evaluation' : '';
    const own =
      row !== last || row.step === step || step === null
        ? ''
        : ` (the adapter is of step ${formatCount(step)})`;
    return `after step ${formatCount(Number(row.step))}${own}${best}`;
  };
  const table = [...new Set([first, last])].map(
    (row) =>
      `| ${at(row)} | ${Number(row.eval_loss).toFixed(4)} | ${formatPerplexity(Math.exp(Number(row.eval_loss)))} |`,
  );
  return [
    '## Results',
    ['| On held-out rows | loss | perplexity |', '| --- | ---: | ---: |', ...table].join('\n'),
    ...(sharedRows > 0 ? [learnedToo(sharedRows, summary?.dataset.eval?.rows)] : []),
    ...picture,
  ].join('\n\n');
}

function learnedToo(shared: number, held: number | undefined): string {
  const of = held === undefined ? '' : ` of ${formatCount(held)}`;
  const were = shared === 1 && held === undefined ? 'row was' : 'rows were';
  return `${formatCount(shared)}${of} held-out ${were} learned as well: what is measured on them says nothing about other rows.`;
}

/** Reports whose mean is no chance. */
const SOME = 10;

function dataNames({ config }: RunFacts): readonly PublicName[] {
  const { data } = config;
  return [data.dataset_name_or_path, ...(data.mix ?? []).map((set) => set.dataset_name_or_path)]
    .flat()
    .map(publicName);
}

function dataOf(run: RunFacts): string {
  const { config, summary, shape } = run;
  const held = [config.data.eval_dataset_name_or_path ?? []].flat().map(publicName);
  const line = (
    what: string,
    names: readonly PublicName[],
    report: SplitReport | undefined,
  ): string => {
    const files = names.map((each) => linked(each, 'datasets/')).join(', ');
    return `- ${what}: ${files}${report === undefined ? '' : ` (${counts(report)})`}`;
  };
  return [
    '## Data',
    [
      line('Trained on', dataNames(run), summary?.dataset.train),
      ...(held.length > 0 ? [line('Held out', held, summary?.dataset.eval)] : []),
      ...(shape === '' ? [] : [`- Rows were read as ${code(shape)}`]),
    ].join('\n'),
  ].join('\n\n');
}

function counts({ rows, tokens, supervisedTokens, inferredFrom }: SplitReport): string {
  const about = inferredFrom === undefined ? '' : 'about ';
  return `${about}${formatCount(rows)} rows, ${formatCount(tokens)} tokens, of which ${formatCount(supervisedTokens)} were predicted for the loss`;
}

function configuration({ lora }: CardFacts, { config, summary, step, rows }: RunFacts): string {
  const { training, data, model } = config;
  const epoch = rows.find((row) => row.step === step)?.epoch;
  const weights =
    model.quantization === 'nf4' ? 'base weights in NF4' : 'base weights as they are stored';
  const warmup =
    training.warmup_steps > 0
      ? `, ${formatCount(training.warmup_steps)} warm-up steps`
      : training.warmup_ratio > 0
        ? `, warm-up over ${Number((100 * training.warmup_ratio).toPrecision(3))} % of the steps`
        : '';
  return table('## Configuration', [
    ['Method', METHOD_NAMES[training.method]],
    ...adapterRows(lora),
    ['Learning rate', `${training.learning_rate} (${training.lr_scheduler_type}${warmup})`],
    ['Weight decay', String(training.weight_decay)],
    [
      'Steps',
      [
        ...(step === null ? [] : [`${formatCount(step)}`]),
        ...(summary === null ? [] : [`of ${formatCount(summary.steps)}`]),
        ...(typeof epoch === 'number' ? [`(${Number(epoch.toFixed(2))} epochs)`] : []),
      ].join(' '),
    ],
    [
      'Rows per step',
      formatCount(training.per_device_train_batch_size * training.gradient_accumulation_steps),
    ],
    ['Longest row', `${formatCount(data.max_length)} tokens`],
    ['Precision', `${summary?.compute ?? config.engine.compute}, ${weights}`],
    ['Seed', String(training.seed)],
  ]);
}

const METHOD_NAMES = { lorafa: 'LoRA-FA', lora: 'LoRA', full: 'full' } as const;

function bareConfiguration({ lora }: CardFacts): string {
  return table('## Configuration', adapterRows(lora));
}

type Row = readonly [key: string, value: string];

function adapterRows({
  r,
  lora_alpha,
  lora_dropout,
  use_rslora,
  target_modules,
}: CardFacts['lora']): readonly Row[] {
  return [
    ['Rank (`r`)', String(r)],
    [
      'Alpha (`lora_alpha`)',
      `${lora_alpha}${use_rslora ? ', rank-stabilized (`use_rslora`)' : ''}`,
    ],
    ...(lora_dropout > 0 ? [['Dropout', String(lora_dropout)] as const] : []),
    ['Target layers', targets(target_modules)],
  ];
}

/** Names of layers without where they lie, each once; a pattern as it is. */
function targets(modules: string | readonly string[]): string {
  if (typeof modules === 'string') return code(modules);
  return [...new Set(modules.map((name) => name.split('.').at(-1)!))].map(code).join(', ');
}

function table(title: string, rows: readonly Row[]): string {
  const lines = rows
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `| ${key} | ${value} |`);
  return `${title}\n\n| | |\n| --- | --- |\n${lines.join('\n')}`;
}

/** The base of an adapter in commands and programs. */
interface LoadedBase {
  /** Its name on the Hub, or a place that the reader fills in. */
  readonly model: string;
  /** Its file, where that is in GGUF. */
  readonly gguf: string | undefined;
  /** Whether it was trained on in NF4. */
  readonly isInNf4: boolean;
}

function loadedBase({ base, run }: CardFacts): LoadedBase {
  return {
    model: base?.isOnHub ? base.name : inFolder(base?.name ?? 'base-model'),
    gguf: /:([^[]*\.gguf)/i.exec(base?.part ?? '')?.[1],
    isInNf4: run?.config.model.quantization === 'nf4',
  };
}

function inFolder(name: string): string {
  return `path/to/${plainLine(name, LONGEST_NAME)}`;
}

const LOADING = '## How to load it';

const IN_NF4 =
  'It was trained on the base in NF4; with `BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")` it meets the same weights.';

function loading(
  {
    model,
    gguf,
    isInNf4,
    name,
    hasChatTemplate,
  }: LoadedBase & Pick<CardFacts, 'name' | 'hasChatTemplate'>,
  { repository }: CardPlace,
): string {
  const adapter = repository ?? inFolder(name);
  const options = gguf === undefined ? '' : `, gguf_file=${JSON.stringify(gguf)}`;
  const python = [
    ...(hasChatTemplate && repository !== undefined
      ? ['from huggingface_hub import hf_hub_download']
      : []),
    'from peft import PeftModel',
    'from transformers import AutoModelForCausalLM, AutoTokenizer',
    '',
    `base = ${JSON.stringify(model)}`,
    `tokenizer = AutoTokenizer.from_pretrained(base${options})`,
    `model = AutoModelForCausalLM.from_pretrained(base${options})`,
    `model = PeftModel.from_pretrained(model, ${JSON.stringify(adapter)})`,
    ...(hasChatTemplate
      ? [
          '# The template that it was trained with.',
          repository === undefined
            ? `tokenizer.chat_template = open(${JSON.stringify(`${adapter}/chat_template.jinja`)}).read()`
            : `tokenizer.chat_template = open(hf_hub_download(${JSON.stringify(adapter)}, "chat_template.jinja")).read()`,
        ]
      : []),
  ].join('\n');
  return [
    LOADING,
    'With PEFT, in Python:',
    `\`\`\`python\n${python}\n\`\`\``,
    ...(isInNf4 ? [IN_NF4] : []),
    'With LoRA-FA, on the command line; in VS Code *LoRA-FA: Test Adapter* shows adapters of the folder that is open:',
    `\`\`\`sh\nlorafa generate ${commandWord(`${model}${gguf === undefined ? '' : `:${gguf}`}`)} --adapter ${commandWord(adapter)} --prompt "…"\n\`\`\``,
  ].join('\n\n');
}

function commandWord(text: string): string {
  return shellWord(plainLine(text, LONGEST_NAME));
}

/** A name with a link to its page, if it has one. */
function linked({ name, part, isOnHub }: PublicName, kind: '' | 'datasets/'): string {
  const page = isOnHub ? `[${escaped(name)}](https://huggingface.co/${kind}${name})` : undefined;
  return page === undefined
    ? code(`${name}${part}`)
    : `${page}${part === '' ? '' : ` ${code(part)}`}`;
}

/** A text as Markdown shows it. */
function escaped(text: string): string {
  return plainLine(text, LONGEST_NAME).replace(/[\\`*_{}[\]<>#|!~$&]/g, '\\$&');
}

/** A text as code, as it is; in tables as well. */
function code(text: string): string {
  const line = plainLine(text, LONGEST_NAME).replaceAll('`', "'").replaceAll('|', '\\|');
  return `\`${line}\``;
}
