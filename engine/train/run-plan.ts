import type { ResolvedConfig } from '../config/schema.ts';
import { type EpochPlan, planEpoch } from '../data/epoch-plan.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';

/** How long a run is, and what each of its epochs does. */
export interface RunPlan {
  readonly stepsPerEpoch: number;
  /** Optimizer steps of the whole run. */
  readonly maxSteps: number;
  readonly warmupSteps: number;
  /** The batches of an epoch, counted from 0; a function of the seed and the epoch alone. */
  epoch(index: number): EpochPlan;
}

/** Plans a run over its examples. */
export function planRun(
  { data, training }: ResolvedConfig,
  examples: readonly TokenizedExample[],
): RunPlan {
  const lengths = examples.map((example) => example.inputIds.length);
  const epoch = (index: number): EpochPlan =>
    planEpoch(lengths, {
      batchSize: training.per_device_train_batch_size,
      gradientAccumulationSteps: training.gradient_accumulation_steps,
      groupByLength: data.group_by_length,
      padToMultipleOf: data.pad_to_multiple_of,
      maxLength: data.max_length,
      seed: training.seed,
      epoch: index,
    });
  const stepsPerEpoch = epoch(0).steps.length;
  const maxSteps = training.max_steps ?? Math.ceil(training.num_train_epochs * stepsPerEpoch);
  const warmupSteps =
    training.warmup_steps > 0 ? training.warmup_steps : Math.ceil(training.warmup_ratio * maxSteps);
  return { stepsPerEpoch, maxSteps, warmupSteps, epoch };
}
