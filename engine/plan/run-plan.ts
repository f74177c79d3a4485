import type { ResolvedConfig } from '../config/schema.ts';
import { type EpochPlan, planEpoch, type RowLayout } from '../data/epoch-plan.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import type { TrainingShape } from '../step/training-graph.ts';
import type { PaddingReport } from '../train/events.ts';

/** How long a run is, and what each of its epochs does. */
export interface RunPlan {
  readonly stepsPerEpoch: number;
  /** Optimizer steps of the whole run. */
  readonly maxSteps: number;
  readonly warmupSteps: number;
  /** The batch that needs the most memory; it is the first of every epoch. */
  readonly largestShape: TrainingShape;
  /** Lengths that the batches have. */
  readonly lengths: number;
  readonly padding: PaddingReport;
  /** The batches of an epoch, counted from 0; a function of the seed and the epoch alone. */
  epoch(index: number): EpochPlan;
}

/** Plans a run over its examples, of which there is at least one. */
export function planRun(
  { data, training }: ResolvedConfig,
  examples: readonly TokenizedExample[],
): RunPlan {
  const exampleLengths = examples.map((example) => example.inputIds.length);
  const plan = (packing: boolean, epoch: number): EpochPlan =>
    planEpoch(exampleLengths, {
      batchSize: training.per_device_train_batch_size,
      gradientAccumulationSteps: training.gradient_accumulation_steps,
      groupByLength: data.group_by_length,
      padToMultipleOf: data.pad_to_multiple_of,
      maxLength: data.max_length,
      packing,
      seed: training.seed,
      epoch,
    });
  const [unpacked, packed] = [plan(false, 0), plan(true, 0)];
  const first = data.packing ? packed : unpacked;
  const stepsPerEpoch = first.steps.length;
  const lengths = new Set(first.steps.flat().map((batch) => batch.sequenceLength)).size;
  const maxSteps = runLength(training, stepsPerEpoch);
  const warmupSteps =
    training.warmup_steps > 0 ? training.warmup_steps : Math.ceil(training.warmup_ratio * maxSteps);
  return {
    stepsPerEpoch,
    maxSteps,
    warmupSteps,
    padding: { packing: data.packing, unpacked: layoutOf(unpacked), packed: layoutOf(packed) },
    epoch: (index) => plan(data.packing, index),
    largestShape: largestShape(first),
    lengths,
  };
}

/** Optimizer steps of one epoch over so many rows of batches, as {@link planRun} plans them. */
export function countStepsPerEpoch(rows: number, training: ResolvedConfig['training']): number {
  const batches = Math.ceil(rows / training.per_device_train_batch_size);
  return Math.ceil(batches / training.gradient_accumulation_steps);
}

/** Optimizer steps of a whole run. */
export function runLength(training: ResolvedConfig['training'], stepsPerEpoch: number): number {
  return training.max_steps ?? Math.ceil(training.num_train_epochs * stepsPerEpoch);
}

function layoutOf({ rows, paddingWaste }: EpochPlan): RowLayout {
  return { rows, paddingWaste };
}

function largestShape({ steps }: EpochPlan): TrainingShape {
  const { rows, sequenceLength: length } = steps[0]![0]!;
  return { rows: rows.length, length, lossTokens: rows.length * length };
}
