import type { ResolvedConfig } from '../config/schema.ts';
import { describeDataPath, parseDataPath } from '../data/data-path.ts';
import { loadDataset } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset-builder.ts';
import { mixExamples } from '../data/mix.ts';
import type { IssueList } from '../data/report.ts';
import type { BadRow, Row } from '../data/row.ts';
import { readRows } from '../data/rows.ts';
import { sharedRows } from '../data/seen-rows.ts';
import { splitExamples } from '../data/split.ts';
import { type DataSource, ExampleStream } from '../data/streaming/example-stream.ts';
import { textSize } from '../data/text-size.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { MixedShare, ProgressEvent, SplitReport } from './plan-reports.ts';
import { inferredReport, issueWarnings, sharedWarnings, splitReport } from './split-report.ts';

/** The examples of a run. */
export interface RunData {
  /** Where data are streamed: those of the first window. */
  readonly train: readonly TokenizedExample[];
  /** All others; undefined where all examples are in memory. */
  readonly stream: ExampleStream | undefined;
  /** Held out; empty where the run has no evaluation. */
  readonly evaluation: readonly TokenizedExample[];
  readonly trainReport: SplitReport;
  readonly evalReport: SplitReport | undefined;
  /** Sentences about rows that were cut, dropped or can never be learned. */
  readonly warnings: readonly string[];
  /** The rows of `evaluation`, or where it is empty of `train`, among others, as they are in the files. */
  readonly rows: () => AsyncGenerator<Row | BadRow>;
}

/** Data of more bytes are streamed where nobody says otherwise: their tokens take about as many. */
const STREAMED_BYTES = 2 ** 28;

/** Rows of a set that a preview shows of data that are streamed. */
const PREVIEW_ROWS = 10_000;

/** A slice that ends before this row is read from its file's start, however large that is. */
const FEW_ROWS = 100_000;

/** Loads the training and evaluation rows that a configuration names. */
export async function loadRunData(
  config: ResolvedConfig,
  tokenizer: Tokenizer,
  onEvent: (event: ProgressEvent) => void,
): Promise<RunData> {
  const { data } = config;
  const sources = trainingSources(config);
  const train = (await isStreamed(data, sources))
    ? await streamed(config, sources, tokenizer, onEvent)
    : await inMemory(config, sources, tokenizer, onEvent);
  const { eval_dataset_name_or_path: held } = data;
  if (held === undefined) return train;
  const paths = [held].flat();
  const { examples, report } = await loadDataset(paths, tokenizer, data, {
    onProgress: progressOf('tokenizing evaluation rows', onEvent),
  });
  return {
    ...train,
    evaluation: examples,
    evalReport: splitReport(examples, [report]),
    warnings: [
      ...train.warnings,
      ...issueWarnings(report),
      ...sharedWarnings(sharedRows(train.train, examples)),
    ],
    rows: () => readRows(paths),
  };
}

/** The sets that the training rows come from, the first of them `dataset_name_or_path`. */
export function trainingSources({ data }: Pick<ResolvedConfig, 'data'>): readonly DataSource[] {
  const { mix = [], dataset_name_or_path: names } = data;
  return [
    { paths: [names].flat(), options: data, weight: undefined },
    ...mix.map(({ dataset_name_or_path: names, weight, ...rows }) => ({
      paths: [names].flat(),
      options: { ...withoutRowOptions(data), ...rows },
      weight,
    })),
  ];
}

function withoutRowOptions({
  text_column: _,
  prompt_column: __,
  completion_column: ___,
  messages_column: ____,
  prompt_template: _____,
  completion_template: ______,
  ...others
}: ResolvedConfig['data']): DataSource['options'] {
  return others;
}

/** Whether a run reads its rows when their turn comes. @throws LorafaError `data.not_found` */
export async function isStreamed(
  { streaming }: Pick<ResolvedConfig['data'], 'streaming'>,
  sources: readonly Pick<DataSource, 'paths'>[],
): Promise<boolean> {
  if (streaming !== 'auto') return streaming;
  let bytes = 0;
  for (const path of sources.flatMap(({ paths }) => paths)) {
    const { file, end } = parseDataPath(path);
    if (end > FEW_ROWS) bytes += await textSize(file);
  }
  return bytes > STREAMED_BYTES;
}

/** What is looked at of training data before a run. */
export interface PreviewSources {
  readonly sources: readonly DataSource[];
  /** Whether these are all rows. */
  readonly isWhole: boolean;
  /** Sentences about what is not looked at, and about what comes of it in a run. */
  readonly notes: readonly string[];
}

/** The sets that a preview reads: of data that are streamed, only their first rows. */
export async function previewSources(config: ResolvedConfig): Promise<PreviewSources> {
  const sources = trainingSources(config);
  const weights = sources.flatMap(({ paths, weight }) =>
    weight === undefined ? [] : [`${paths.map(describeDataPath).join(', ')}: ${weight}`],
  );
  const mixed =
    weights.length === 0
      ? []
      : [`Rows for each row of the first set, in an epoch: ${weights.join('; ')}.`];
  if (!(await isStreamed(config.data, sources))) return { sources, isWhole: true, notes: mixed };
  return {
    sources: sources.map((source) => ({ ...source, paths: [firstRows(source.paths[0]!)] })),
    isWhole: false,
    notes: [
      `The data are streamed: these are the first ${PREVIEW_ROWS.toLocaleString('en-US')} rows of each set at most.`,
      ...mixed,
    ],
  };
}

/**
 * Rows of the sets of a run that it holds out, and learns all the same.
 *
 * @param sets all examples of each set
 * @throws LorafaError as `loadDataset` and `splitExamples`
 */
export async function sharedWithHeldOut(
  { data, training }: ResolvedConfig,
  tokenizer: Tokenizer,
  sets: readonly (readonly TokenizedExample[])[],
): Promise<IssueList> {
  const { eval_dataset_name_or_path: held, eval_split: split } = data;
  if (held !== undefined) {
    const { examples } = await loadDataset([held].flat(), tokenizer, data);
    return sharedRows(sets.flat(), examples);
  }
  if (split === undefined) return sharedRows([], []);
  const [first = [], ...mixed] = sets;
  const parts = splitExamples(first, split, training.seed);
  return sharedRows([...parts.train, ...mixed.flat()], parts.eval);
}

function firstRows(path: string): string {
  const { file, start, end } = parseDataPath(path);
  return `${file}[${start}:${Math.min(end, start + PREVIEW_ROWS)}]`;
}

async function inMemory(
  { data, training }: ResolvedConfig,
  sources: readonly DataSource[],
  tokenizer: Tokenizer,
  onEvent: (event: ProgressEvent) => void,
): Promise<RunData> {
  const sets: Dataset[] = [];
  for (const { paths, options } of sources) {
    const onProgress = progressOf('tokenizing training rows', onEvent);
    sets.push(await loadDataset(paths, tokenizer, options, { onProgress }));
  }
  const [{ examples: first }, ...mixed] = sets as [Dataset, ...Dataset[]];
  const parts =
    data.eval_split === undefined
      ? { train: first, eval: [] }
      : splitExamples(first, data.eval_split, training.seed);
  const all = [parts.train, ...mixed.map(({ examples }) => examples)];
  const taken = mixExamples(all, sources, training.seed);
  const train = taken.length === 1 ? parts.train : taken.flat();
  const shares = taken.map(({ length }, index) => ({
    rows: length,
    available: all[index]!.length,
  }));
  const reports = sets.map(({ report }) => report);
  return {
    train,
    stream: undefined,
    evaluation: parts.eval,
    trainReport: { ...splitReport(train, reports), ...mixReport(sources, shares) },
    evalReport: parts.eval.length === 0 ? undefined : splitReport(parts.eval),
    warnings: [
      ...reports.flatMap((each) => issueWarnings(each)),
      ...sharedWarnings(sharedRows(parts.eval.length === 0 ? [] : train, parts.eval)),
    ],
    rows: () => readRows(sources[0]!.paths),
  };
}

async function streamed(
  { data, training }: ResolvedConfig,
  sources: readonly DataSource[],
  tokenizer: Tokenizer,
  onEvent: (event: ProgressEvent) => void,
): Promise<RunData> {
  const { per_device_train_batch_size: batch, gradient_accumulation_steps: batches } = training;
  const stepRows = batch * batches;
  const stream = await ExampleStream.open(sources, tokenizer, {
    seed: training.seed,
    // No step is smaller than the others but the last of an epoch, and there is a row for each set.
    windowRows: Math.ceil(Math.max(data.buffer_size, sources.length) / stepRows) * stepRows,
    evalSplit: data.eval_split,
    onScanned: progressOf('finding training rows', onEvent),
  });
  onEvent({ type: 'progress', task: 'tokenizing the first training rows', done: 0, total: 1 });
  const sets = await stream.window(0, 0);
  const train = sets.flatMap(({ examples }) => examples);
  const reports = sets.map(({ report }) => report);
  const held = await stream.heldOut();
  const report = inferredReport(splitReport(train, reports), stream.rowsOf(0), stream.rows);
  return {
    train,
    stream,
    evaluation: held?.examples ?? [],
    trainReport: { ...report, ...mixReport(sources, stream.shares) },
    evalReport: held && splitReport(held.examples, [held.report]),
    warnings: [
      ...reports.flatMap((each) =>
        issueWarnings(each, stream.windows === 1 ? undefined : each.rows),
      ),
      ...(held === undefined ? [] : issueWarnings(held.report)),
    ],
    rows: () => (held === undefined ? stream.firstRows() : stream.heldOutRows()),
  };
}

/** How much comes from each of several sets. */
function mixReport(
  sources: readonly DataSource[],
  shares: readonly Omit<MixedShare, 'name'>[],
): Pick<SplitReport, 'sets'> {
  if (sources.length === 1) return {};
  return {
    sets: shares.map((share, index) => ({ name: sources[index]!.paths.join(', '), ...share })),
  };
}

function progressOf(
  task: string,
  onEvent: (event: ProgressEvent) => void,
): (share: number) => void {
  return (share) => onEvent({ type: 'progress', task, done: share, total: 1 });
}
