import type { ResolvedConfig } from '../config/schema.ts';
import { type LoadOptions, loadDataset } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset-builder.ts';
import { countExamples, type DatasetReport, type IssueList } from '../data/report.ts';
import { sharedRows } from '../data/seen-rows.ts';
import { splitExamples } from '../data/split.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { ProgressEvent, SplitReport } from '../train/events.ts';

/** The examples of a run. */
export interface RunData {
  readonly train: readonly TokenizedExample[];
  /** Held out; empty where the run has no evaluation. */
  readonly evaluation: readonly TokenizedExample[];
  readonly trainReport: SplitReport;
  readonly evalReport: SplitReport | undefined;
  /** Sentences about rows that were cut, dropped or can never be learned. */
  readonly warnings: readonly string[];
}

/** Loads the training and evaluation rows that a configuration names. */
export async function loadRunData(
  config: ResolvedConfig,
  tokenizer: Tokenizer,
  onEvent: (event: ProgressEvent) => void,
): Promise<RunData> {
  const { data } = config;
  const onProgress = (task: string) => (share: number) =>
    onEvent({ type: 'progress', task, done: share, total: 1 });
  const trainSet = await loadDataset([data.dataset_name_or_path].flat(), tokenizer, data, {
    onProgress: onProgress('tokenizing training rows'),
  });
  const { train, evaluation, evalSet, shared } = await holdOut(config, tokenizer, trainSet, {
    onProgress: onProgress('tokenizing evaluation rows'),
  });
  return {
    train,
    evaluation,
    trainReport: splitReport(train, trainSet.report),
    evalReport: evaluation.length === 0 ? undefined : splitReport(evaluation, evalSet?.report),
    warnings: [
      ...issueWarnings(trainSet.report),
      ...(evalSet === undefined ? [] : issueWarnings(evalSet.report)),
      ...warningOf('held out and learned all the same', shared),
    ],
  };
}

/** The rows of a data set that are learned, and those that are held out. */
export interface HeldOut extends Pick<RunData, 'train' | 'evaluation'> {
  /** Where held-out rows have files of their own. */
  readonly evalSet: Dataset | undefined;
  /** Held-out rows that are learned as well. */
  readonly shared: IssueList;
}

/**
 * Holds back what a configuration says, or loads what it names besides.
 *
 * @throws LorafaError as `loadDataset` and `splitExamples`
 */
export async function holdOut(
  { data, training }: ResolvedConfig,
  tokenizer: Tokenizer,
  { examples }: Dataset,
  options: LoadOptions = {},
): Promise<HeldOut> {
  if (data.eval_dataset_name_or_path !== undefined) {
    const files = [data.eval_dataset_name_or_path].flat();
    const evalSet = await loadDataset(files, tokenizer, data, options);
    const shared = sharedRows(examples, evalSet.examples);
    return { train: examples, evaluation: evalSet.examples, evalSet, shared };
  }
  const { train, eval: evaluation } =
    data.eval_split === undefined
      ? { train: examples, eval: [] }
      : splitExamples(examples, data.eval_split, training.seed);
  const shared = sharedRows(evaluation.length === 0 ? [] : train, evaluation);
  return { train, evaluation, evalSet: undefined, shared };
}

function splitReport(examples: readonly TokenizedExample[], file?: DatasetReport): SplitReport {
  const { used, tokens, supervisedTokens, truncatedRows } = countExamples(examples);
  const droppedRows = file === undefined ? 0 : file.dropped.count + file.neverSupervised.count;
  return { rows: used, tokens, supervisedTokens, truncatedRows, droppedRows };
}

function issueWarnings(report: DatasetReport): readonly string[] {
  return [
    ...warningOf('dropped', report.dropped),
    ...warningOf('left out because nothing in them could be learned', report.neverSupervised),
    ...warningOf('cut at max_length', report.truncated),
    ...warningOf('learned only in their last answer', report.lastTurnOnly),
    ...warningOf('there more than once', report.duplicates),
    ...warningOf('learned in a single token', report.nearlyEmpty),
  ];
}

function warningOf(what: string, { count, first }: IssueList): readonly string[] {
  if (count === 0) return [];
  const { file, line, reason } = first[0]!;
  const rows = count === 1 ? '1 row was' : `${count} rows were`;
  return [`${rows} ${what} (${file}:${line}: ${reason}${count > 1 ? '; …' : ''}).`];
}
