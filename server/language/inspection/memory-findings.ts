import { setImmediate } from 'node:timers/promises';
import type { Recompute } from '../../../engine/architectures/decoder-graph.ts';
import { type Remedy, setValue } from '../../../engine/config/path-problem.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import {
  type BatchesQuestion,
  chooseRecompute,
  estimateMemory,
  type MemoryEstimate,
  type MemoryQuestion,
  type StepQuestion,
  standingBytes,
} from '../../../engine/plan/memory.ts';
import { CPU, formatDevice } from '../../../engine/runtime/device.ts';
import type { TrainingShape } from '../../../engine/step/training-graph.ts';
import { describeQuantized, type Quantization } from '../../../engine/weights/quantization.ts';
import { formatBytes } from '../../format.ts';
import { type Finding, finding } from './finding.ts';

/** What a run will need at its peak. */
export interface MemoryFacts {
  /** Bytes. */
  readonly estimate: MemoryEstimate;
  /** Bytes that the run may use; undefined where nobody tells how many its device has. */
  readonly limit: number | undefined;
  readonly recompute: Recompute;
}

/** The same where the limit is known. */
interface LimitedMemory extends MemoryFacts {
  readonly limit: number;
}

/**
 * The graph of a batch of longer rows takes too long to look at while someone types;
 * `lorafa plan` does it.
 */
const LONGEST_ROW = 16_384;

/** Lengths of rows are proposed in multiples of this many tokens. */
const LENGTH_STEP = 32;

/** How many estimates are made to find a batch that fits; the first hardly ever misses. */
const MOST_TRIES = 2;

/** What is computed again, from the least on. */
const RECOMPUTES: readonly Recompute[] = ['none', 'attention', 'layer'];

/**
 * Estimates a run's memory.
 *
 * @param limit as in the result
 * @returns undefined for rows whose graph is too long to look at it in passing
 */
export function inspectMemory(
  config: ResolvedConfig,
  question: StepQuestion,
  limit: number | undefined,
): MemoryFacts | undefined {
  if (question.shape.length > LONGEST_ROW) return undefined;
  const recompute = chooseRecompute(config, question, limit);
  return { estimate: estimateMemory({ ...question, recompute }), limit, recompute };
}

/** A run that needs more memory than it may use, with the changes by which it would fit. */
export async function memoryFindings(
  config: ResolvedConfig,
  question: StepQuestion,
  facts: MemoryFacts,
): Promise<readonly Finding[]> {
  const { estimate, limit } = facts;
  if (limit === undefined || estimate.total <= limit) return [];
  const { device = CPU } = question;
  const place = device.kind === 'cpu' ? 'this machine' : formatDevice(device);
  const source =
    config.engine.max_memory_gib === undefined
      ? `free on ${place}`
      : 'what `engine.max_memory_gib` allows';
  const limited = { ...facts, limit };
  const remedies = [
    await moreRecompute(question, limited),
    await smallerBatch(config, question, limited),
    await smallerEvaluation(question, limited),
    await quantizedBase(config, question, limited),
    await shorterRows(question, limited),
  ].filter((remedy) => remedy !== undefined);
  const { key, occasion } = peakOf(config, estimate);
  return [
    finding(
      'warning',
      ['training', key],
      'plan.memory',
      `the run will need about ${formatBytes(estimate.total)} of memory at its peak${occasion}, and ${formatBytes(limit)} are ${source}`,
      remedies,
    ),
  ];
}

/** What a run needs the most memory for, in words, and the key that decides how much. */
function peakOf(
  { training }: ResolvedConfig,
  { activations, evaluation, answers }: MemoryEstimate,
): { readonly key: string; readonly occasion: string } {
  if (answers > Math.max(activations, evaluation)) {
    return { key: 'sample_prompts', occasion: ', when it answers its prompts' };
  }
  if (evaluation <= activations) return { key: 'per_device_train_batch_size', occasion: '' };
  const isOwn = training.per_device_eval_batch_size !== undefined;
  return {
    key: isOwn ? 'per_device_eval_batch_size' : 'per_device_train_batch_size',
    occasion: ', when it evaluates',
  };
}

async function moreRecompute(
  question: StepQuestion,
  { limit, recompute }: LimitedMemory,
): Promise<Remedy | undefined> {
  const more = RECOMPUTES.slice(RECOMPUTES.indexOf(recompute) + 1);
  const fitting = await firstFitting(more, limit, (each) => ({ ...question, recompute: each }));
  return fitting && setValue(['training', 'gradient_checkpointing'], fitting);
}

/** Fewer rows in a batch and more batches in a step, which learns from as many rows as before. */
async function smallerBatch(
  { training }: ResolvedConfig,
  question: StepQuestion,
  facts: LimitedMemory,
): Promise<Remedy | undefined> {
  const { rows } = question.shape;
  const rowsPerStep = training.per_device_train_batch_size * training.gradient_accumulation_steps;
  const guess = Math.max(
    1,
    Math.min(rows - 1, Math.floor(rows * fittingShare(facts, 'activations'))),
  );
  const sizes = Array.from({ length: guess }, (_, index) => guess - index).filter(
    (size) => size < rows && rowsPerStep % size === 0,
  );
  const isFollowed = training.per_device_eval_batch_size === undefined;
  const fitting = await firstFitting(sizes.slice(0, MOST_TRIES), facts.limit, (size) => ({
    ...question,
    recompute: facts.recompute,
    shape: resized(question.shape, { rows: size }),
    evaluation: isFollowed ? withLess(question.evaluation, { rows: size }) : question.evaluation,
  }));
  if (fitting === undefined) return undefined;
  return {
    kind: 'set',
    values: [
      { path: ['training', 'per_device_train_batch_size'], value: fitting },
      { path: ['training', 'gradient_accumulation_steps'], value: rowsPerStep / fitting },
    ],
  };
}

/** Fewer rows in a batch of an evaluation, which changes nothing but its memory. */
async function smallerEvaluation(
  question: StepQuestion,
  facts: LimitedMemory,
): Promise<Remedy | undefined> {
  const { evaluation } = question;
  if (evaluation === undefined || evaluation.shape.rows === 1) return undefined;
  const { rows } = evaluation.shape;
  const guess = Math.min(rows - 1, Math.floor(rows * fittingShare(facts, 'evaluation')));
  const sizes = [...new Set([guess, guess >> 1].map((size) => Math.max(1, size)))];
  const fitting = await firstFitting(sizes, facts.limit, (size) => ({
    ...question,
    recompute: facts.recompute,
    evaluation: withLess(evaluation, { rows: size }),
  }));
  return fitting === undefined
    ? undefined
    : setValue(['training', 'per_device_eval_batch_size'], fitting);
}

/** The base in NF4, where it is neither so already, nor in eight bits, nor trained itself. */
async function quantizedBase(
  config: ResolvedConfig,
  question: StepQuestion,
  { limit, recompute }: LimitedMemory,
): Promise<Remedy | undefined> {
  const isQuantized = config.model.quantization === 'nf4' || config.engine.compute !== 'float32';
  if (isQuantized || question.trainBase) return undefined;
  const nf4: Quantization = { kind: 'nf4', doubleQuant: false };
  const model = describeQuantized(question.model, nf4);
  const answers = question.answers && { ...question.answers, model };
  const fitting = await firstFitting([nf4], limit, () => ({
    ...question,
    model,
    answers,
    recompute,
  }));
  return fitting && setValue(['model', 'quantization'], 'nf4');
}

async function shorterRows(
  question: StepQuestion,
  facts: LimitedMemory,
): Promise<Remedy | undefined> {
  const length = Math.max(question.shape.length, question.evaluation?.shape.length ?? 0);
  const { activations, evaluation } = facts.estimate;
  const share = fittingShare(facts, evaluation > activations ? 'evaluation' : 'activations');
  const guess = Math.min(length - 1, Math.floor(length * share));
  const lengths = [guess, guess >> 1]
    .map((tokens) => tokens - (tokens % LENGTH_STEP))
    .filter((tokens) => tokens > 0);
  const fitting = await firstFitting([...new Set(lengths)], facts.limit, (tokens) => ({
    ...question,
    recompute: facts.recompute,
    shape: resized(question.shape, { length: tokens }),
    evaluation: withLess(question.evaluation, { length: tokens }),
  }));
  return fitting === undefined ? undefined : setValue(['data', 'max_length'], fitting);
}

/** The share of what a batch takes that there is room for; it grows with the tokens of the batch. */
function fittingShare(
  { estimate, limit }: LimitedMemory,
  part: 'activations' | 'evaluation',
): number {
  return Math.max(0, (limit - standingBytes(estimate)) / estimate[part]);
}

/** A batch of at most so many rows or tokens in each. */
function resized(shape: TrainingShape, most: Partial<TrainingShape>): TrainingShape {
  const rows = Math.min(shape.rows, most.rows ?? Infinity);
  const length = Math.min(shape.length, most.length ?? Infinity);
  return { rows, length, lossTokens: rows * length };
}

function withLess(
  batches: BatchesQuestion | undefined,
  most: Partial<TrainingShape>,
): BatchesQuestion | undefined {
  return batches && { ...batches, shape: resized(batches.shape, most) };
}

/** Each estimate is a look at a whole graph; what came in meanwhile is read in between. */
async function firstFitting<Option>(
  options: readonly Option[],
  limit: number,
  questionOf: (option: Option) => MemoryQuestion,
): Promise<Option | undefined> {
  for (const option of options) {
    await setImmediate();
    if (estimateMemory(questionOf(option)).total <= limit) return option;
  }
  return undefined;
}
