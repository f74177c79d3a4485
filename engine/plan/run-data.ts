import type { ResolvedConfig } from '../config/schema.ts';
import { loadDataset } from '../data/dataset.ts';
import { countExamples, type DatasetReport } from '../data/report.ts';
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
  const { data, training } = config;
  const load = (paths: string | readonly string[], task: string) =>
    loadDataset([paths].flat(), tokenizer, data, {
      onProgress: (share) => onEvent({ type: 'progress', task, done: share, total: 1 }),
    });
  const trainSet = await load(data.dataset_name_or_path, 'tokenizing training rows');
  const warnings = issueWarnings(trainSet.report);
  if (data.eval_dataset_name_or_path !== undefined) {
    const evalSet = await load(data.eval_dataset_name_or_path, 'tokenizing evaluation rows');
    return {
      train: trainSet.examples,
      evaluation: evalSet.examples,
      trainReport: splitReport(trainSet.examples, trainSet.report),
      evalReport: splitReport(evalSet.examples, evalSet.report),
      warnings: [...warnings, ...issueWarnings(evalSet.report)],
    };
  }
  const parts =
    data.eval_split === undefined
      ? { train: trainSet.examples, eval: [] }
      : splitExamples(trainSet.examples, data.eval_split, training.seed);
  return {
    train: parts.train,
    evaluation: parts.eval,
    trainReport: splitReport(parts.train, trainSet.report),
    evalReport: parts.eval.length === 0 ? undefined : splitReport(parts.eval),
    warnings,
  };
}

function splitReport(examples: readonly TokenizedExample[], file?: DatasetReport): SplitReport {
  const { used, tokens, supervisedTokens, truncatedRows } = countExamples(examples);
  const droppedRows = file === undefined ? 0 : file.dropped.count + file.neverSupervised.count;
  return { rows: used, tokens, supervisedTokens, truncatedRows, droppedRows };
}

function issueWarnings(report: DatasetReport): string[] {
  const kinds = [
    ['dropped', report.dropped],
    ['left out because nothing in them could be learned', report.neverSupervised],
    ['cut at max_length', report.truncated],
    ['learned only in their last answer', report.lastTurnOnly],
  ] as const;
  return kinds
    .filter(([, { count }]) => count > 0)
    .map(([what, { count, first }]) => {
      const { file, line, reason } = first[0]!;
      const rows = count === 1 ? '1 row was' : `${count} rows were`;
      return `${rows} ${what} (${file}:${line}: ${reason}${count > 1 ? '; …' : ''}).`;
    });
}
