import type { ResolvedConfig } from '../config/schema.ts';
import { planEvaluation } from '../data/epoch-plan.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import type { BaseModel } from '../models/base-model.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { evaluationBatches } from './evaluation-batches.ts';
import type { BatchesQuestion, MemoryQuestion } from './memory.ts';
import type { RunPlan } from './run-plan.ts';
import { longestPrompt } from './sample-prompts.ts';

/** What a run has to compute. */
export interface RunWork {
  readonly plan: Pick<RunPlan, 'largestShape' | 'otherShapes' | 'lengths'>;
  /** The held-out examples; none without evaluation. */
  readonly evaluation: readonly TokenizedExample[];
  readonly tokenizer: Tokenizer;
  /** What answers the prompts of the run. */
  readonly answering: Pick<BaseModel, 'config' | 'weights'>;
}

/**
 * What a run computes, as far as its memory depends on it.
 *
 * @throws LorafaError for prompts that the chat template refuses
 */
export function runQuestion(
  config: ResolvedConfig,
  { plan, evaluation, tokenizer, answering }: RunWork,
): Pick<MemoryQuestion, 'shape' | 'others' | 'lengths' | 'threads' | 'evaluation' | 'answers'> {
  const promptTokens = longestPrompt(config, tokenizer);
  return {
    shape: plan.largestShape,
    others: plan.otherShapes,
    lengths: plan.lengths,
    threads: config.engine.intra_op_num_threads,
    evaluation: evaluation.length === 0 ? undefined : evaluationQuestion(config, evaluation),
    answers: promptTokens === undefined ? undefined : { model: answering, promptTokens },
  };
}

function evaluationQuestion(
  config: ResolvedConfig,
  examples: readonly TokenizedExample[],
): BatchesQuestion {
  const lengths = examples.map(({ inputIds }) => inputIds.length);
  const batches = planEvaluation(lengths, evaluationBatches(config));
  // The longest rows come first, and no batch has more of them.
  const { rows, sequenceLength: length } = batches[0]!;
  return {
    shape: { rows: rows.length, length, lossTokens: rows.length * length },
    lengths: new Set(batches.map(({ sequenceLength }) => sequenceLength)).size,
  };
}
