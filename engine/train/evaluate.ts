import type { ResolvedConfig } from '../config/schema.ts';
import { type Batch, plannedBatch } from '../data/batches.ts';
import { loadDataset } from '../data/dataset.ts';
import { type BatchOptions, planEvaluation } from '../data/epoch-plan.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import { LorafaError } from '../errors.ts';
import { fetchInputs } from '../inputs/hub-inputs.ts';
import { stateOfAdapter } from '../lora/adapter-tensors.ts';
import { loadAdapter } from '../lora/load-adapter.ts';
import { evaluationBatches } from '../plan/evaluation-batches.ts';
import { withPadding } from '../plan/padding-multiple.ts';
import type { ProgressEvent } from '../plan/plan-reports.ts';
import { requirePositions } from '../plan/position-limit.ts';
import { loadRunData } from '../plan/run-data.ts';
import { openRunModel } from '../plan/run-model.ts';
import { loadRunTokenizer } from '../plan/run-tokenizer.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import { BatchRunner } from '../step/batch-runner.ts';
import { evaluationSpec, stepSpec } from '../step/step-spec.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { chooseComputeDevice, uploadProgress } from './compute-device.ts';

/** How well a model predicts held-out rows. */
export interface Evaluation {
  /** Mean loss per supervised token. */
  readonly eval_loss: number;
  /** `exp(eval_loss)`. */
  readonly eval_perplexity: number;
  /** Seconds that the evaluation took, loading aside. */
  readonly eval_runtime: number;
  readonly rows: number;
  readonly supervisedTokens: number;
}

/** What an evaluation needs besides the configuration. */
export interface EvaluateOptions {
  /** Folder of the adapter (PEFT format) on top of the base, or null for the base alone. */
  readonly adapterDir: string | null;
  readonly onProgress: (event: ProgressEvent) => void;
}

/**
 * Evaluates a configuration's model on its held-out rows, as a training run does between steps.
 *
 * @throws LorafaError `usage.invalid` when the configuration names no held-out rows; for anything
 * that is wrong with model, adapter, data or device
 */
export async function evaluate(
  given: ResolvedConfig,
  { adapterDir, onProgress }: EvaluateOptions,
): Promise<Evaluation> {
  requireHeldOutRows(given);
  const hasOwnRows = given.data.eval_dataset_name_or_path !== undefined;
  const { config: fetched } = await fetchInputs(given, {
    unread: hasOwnRows ? ['adapter', 'training'] : ['adapter'],
    onDownload: (state) => onProgress({ type: 'progress', ...state }),
  });
  const device = await chooseComputeDevice(fetched);
  const config = withPadding(fetched, device);
  const model = await openRunModel(config, onProgress);
  requirePositions(config, model);
  const adapter = adapterDir === null ? null : await loadAdapter(adapterDir, model.config);
  const tokenizer = await loadRunTokenizer(config, model);
  const examples = await heldOutExamples(config, tokenizer, onProgress);
  const tensors =
    adapter === null ? new Map<string, StateTensor>() : stateOfAdapter(adapter, () => device);
  const adapted = { modules: adapter?.modules ?? [], trainable: [], trainBase: false };
  const runner = new BatchRunner({
    ...evaluationSpec(stepSpec(config, model, adapted)),
    tensors,
    session: {
      device,
      threads: config.engine.intra_op_num_threads,
      tf32: config.engine.tf32,
      weightsFolder: model.weights.files().folder,
      onUpload: uploadProgress(device, onProgress),
    },
  });
  try {
    return await evaluateExamples((batches) => lossWith(runner, batches), examples, {
      ...evaluationBatches(config),
      padId: tokenizer.padId,
      onBatch: (done, total) => onProgress({ type: 'progress', task: 'evaluating', done, total }),
    });
  } finally {
    await runner.release();
    for (const tensor of tensors.values()) tensor.release();
  }
}

/** How examples are put through a model for evaluation. */
export interface EvaluationBatches extends BatchOptions {
  readonly padId: number;
  /** How many batches `lossOf` is given; one unless said otherwise. */
  readonly batchesAtOnce?: number;
  /** Told about batches that are done. */
  readonly onBatch?: (done: number, total: number) => void;
  /** Ends the evaluation before its next batch. */
  readonly signal?: AbortSignal;
}

/** The sum of the losses of batches' supervised tokens, by a runner that trains nothing. */
export async function lossWith(runner: BatchRunner, batches: readonly Batch[]): Promise<number> {
  let loss = 0;
  for (const batch of batches) loss += await runner.run(batch, 1, 0, new Map());
  return loss;
}

/**
 * The mean loss over the supervised tokens of all examples, of which there is at least one.
 *
 * @param lossOf the sum of the losses of batches' supervised tokens
 * @throws the reason of the signal when it aborts
 */
export async function evaluateExamples(
  lossOf: (batches: readonly Batch[]) => Promise<number>,
  examples: readonly TokenizedExample[],
  { padId, onBatch, signal, batchesAtOnce = 1, ...options }: EvaluationBatches,
): Promise<Evaluation> {
  const started = performance.now();
  const lengths = examples.map((example) => example.inputIds.length);
  const plan = planEvaluation(lengths, options);
  let loss = 0;
  let supervisedTokens = 0;
  for (let done = 0; done < plan.length; ) {
    // ONNX Runtime blocks the event loop; a request to stop that came in meanwhile is heard here.
    if (signal !== undefined) await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    const planned = plan.slice(done, done + batchesAtOnce);
    const batches = planned.map((batch) => plannedBatch(batch, examples, padId));
    loss += await lossOf(batches);
    for (const { numSupervisedTokens } of batches) supervisedTokens += numSupervisedTokens;
    done += batches.length;
    onBatch?.(done, plan.length);
  }
  const mean = loss / supervisedTokens;
  return {
    eval_loss: mean,
    eval_perplexity: Math.exp(mean),
    eval_runtime: (performance.now() - started) / 1000,
    rows: examples.length,
    supervisedTokens,
  };
}

function requireHeldOutRows({ data }: ResolvedConfig): void {
  if ((data.eval_dataset_name_or_path ?? data.eval_split) !== undefined) return;
  throw new LorafaError(
    'usage.invalid',
    'There are no held-out rows to evaluate on; give data.eval_dataset_name_or_path or data.eval_split in the configuration, or --data on the command line.',
  );
}

async function heldOutExamples(
  config: ResolvedConfig,
  tokenizer: Tokenizer,
  onProgress: (event: ProgressEvent) => void,
): Promise<readonly TokenizedExample[]> {
  const files = config.data.eval_dataset_name_or_path;
  if (files !== undefined) {
    const { examples } = await loadDataset([files].flat(), tokenizer, config.data);
    return examples;
  }
  // Which rows were held out is only known from all rows together.
  const { evaluation } = await loadRunData(config, tokenizer, onProgress);
  return evaluation;
}
