import { setImmediate } from 'node:timers/promises';
import { type Remedy, setValue } from '../../../engine/config/path-problem.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import type { Recompute } from '../../../engine/models/decoder.ts';
import { describeQuantized, type Quantization } from '../../../engine/models/quantization.ts';
import {
  chooseRecompute,
  estimateMemory,
  type MemoryEstimate,
  type MemoryQuestion,
} from '../../../engine/plan/memory.ts';
import type { TrainingShape } from '../../../engine/train/training-graph.ts';
import { shortBytes } from '../words.ts';
import { type Finding, finding } from './finding.ts';

/** What a run will need at its peak. */
export interface MemoryFacts {
  /** Bytes. */
  readonly estimate: MemoryEstimate;
  /** Bytes that the run may use. */
  readonly limit: number;
  readonly recompute: Recompute;
}

/** Everything that decides about memory but what is computed again. */
export type BatchQuestion = Omit<MemoryQuestion, 'recompute'>;

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
 * @param limit bytes that the run may use
 * @returns undefined for rows whose graph is too long to look at it in passing
 */
export function inspectMemory(
  config: ResolvedConfig,
  question: BatchQuestion,
  limit: number,
): MemoryFacts | undefined {
  if (question.shape.length > LONGEST_ROW) return undefined;
  const recompute = chooseRecompute(config, question, limit);
  return { estimate: estimateMemory({ ...question, recompute }), limit, recompute };
}

/** A run that needs more memory than it may use, with the changes by which it would fit. */
export async function memoryFindings(
  config: ResolvedConfig,
  question: BatchQuestion,
  facts: MemoryFacts,
): Promise<readonly Finding[]> {
  const { estimate, limit } = facts;
  if (estimate.total <= limit) return [];
  const source =
    config.engine.max_memory_gib === undefined
      ? 'free on this machine'
      : 'what `engine.max_memory_gib` allows';
  const remedies = [
    await moreRecompute(question, facts),
    await smallerBatch(config, question, facts),
    await quantizedBase(config, question, facts),
    await shorterRows(question, facts),
  ].filter((remedy) => remedy !== undefined);
  return [
    finding(
      'warning',
      ['training', 'per_device_train_batch_size'],
      'plan.memory',
      `the run will need about ${shortBytes(estimate.total)} of memory at its peak, and ${shortBytes(limit)} are ${source}`,
      remedies,
    ),
  ];
}

async function moreRecompute(
  question: BatchQuestion,
  { limit, recompute }: MemoryFacts,
): Promise<Remedy | undefined> {
  const more = RECOMPUTES.slice(RECOMPUTES.indexOf(recompute) + 1);
  const fitting = await firstFitting(more, limit, (each) => ({ ...question, recompute: each }));
  return fitting && setValue(['training', 'gradient_checkpointing'], fitting);
}

/** Fewer rows in a batch and more batches in a step, which learns from as many rows as before. */
async function smallerBatch(
  { training }: ResolvedConfig,
  question: BatchQuestion,
  facts: MemoryFacts,
): Promise<Remedy | undefined> {
  const { rows } = question.shape;
  const rowsPerStep = training.per_device_train_batch_size * training.gradient_accumulation_steps;
  const guess = Math.max(1, Math.min(rows - 1, Math.floor(rows * fittingShare(facts))));
  const sizes = Array.from({ length: guess }, (_, index) => guess - index).filter(
    (size) => size < rows && rowsPerStep % size === 0,
  );
  const fitting = await firstFitting(sizes.slice(0, MOST_TRIES), facts.limit, (size) =>
    withShape(question, facts, { rows: size }),
  );
  if (fitting === undefined) return undefined;
  return {
    kind: 'set',
    values: [
      { path: ['training', 'per_device_train_batch_size'], value: fitting },
      { path: ['training', 'gradient_accumulation_steps'], value: rowsPerStep / fitting },
    ],
  };
}

/** The base in NF4, where it is neither so already, nor in eight bits, nor trained itself. */
async function quantizedBase(
  config: ResolvedConfig,
  question: BatchQuestion,
  { limit, recompute }: MemoryFacts,
): Promise<Remedy | undefined> {
  const isQuantized = config.model.quantization === 'nf4' || config.engine.compute !== 'float32';
  if (isQuantized || question.trainBase) return undefined;
  const nf4: Quantization = { kind: 'nf4', doubleQuant: false };
  const fitting = await firstFitting([nf4], limit, () => ({
    ...question,
    model: describeQuantized(question.model, nf4),
    recompute,
  }));
  return fitting && setValue(['model', 'quantization'], 'nf4');
}

async function shorterRows(
  question: BatchQuestion,
  facts: MemoryFacts,
): Promise<Remedy | undefined> {
  const { length } = question.shape;
  const guess = Math.min(length - 1, Math.floor(length * fittingShare(facts)));
  const lengths = [guess, guess >> 1]
    .map((tokens) => tokens - (tokens % LENGTH_STEP))
    .filter((tokens) => tokens > 0);
  const fitting = await firstFitting([...new Set(lengths)], facts.limit, (tokens) =>
    withShape(question, facts, { length: tokens }),
  );
  return fitting === undefined ? undefined : setValue(['data', 'max_length'], fitting);
}

/** The share of the activations that there is room for; they grow with the tokens of a batch. */
function fittingShare({ estimate, limit }: MemoryFacts): number {
  return Math.max(0, (limit - (estimate.total - estimate.activations)) / estimate.activations);
}

function withShape(
  question: BatchQuestion,
  { recompute }: MemoryFacts,
  change: Partial<TrainingShape>,
): MemoryQuestion {
  const { rows, length } = { ...question.shape, ...change };
  return { ...question, recompute, shape: { rows, length, lossTokens: rows * length } };
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
