import type { ResolvedConfig } from '../config/schema.ts';
import { plannedBatch } from '../data/batches.ts';
import type { MicroBatch } from '../data/epoch-plan.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import { learningRate } from '../optim/learning-rate.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { Random } from '../random.ts';
import type { BackendStep } from './training-backend.ts';

/** The random stream of dropout seeds; epochs and splits use others (`engine/data`). */
const DROPOUT_STREAM = 0xffff_fffe;

/** What steps are made of, beside their own batches. */
export interface StepSource {
  readonly config: Pick<ResolvedConfig, 'training'>;
  readonly plan: Pick<RunPlan, 'warmupSteps' | 'maxSteps'>;
  readonly padId: number;
}

/**
 * A step of a run, which follows from the configuration and its place alone.
 *
 * @param examples those of its window
 * @param step counts from 0
 */
export function plannedStep(
  microBatches: readonly MicroBatch[],
  examples: readonly TokenizedExample[],
  step: number,
  { config: { training }, plan, padId }: StepSource,
): BackendStep {
  const batches = microBatches.map((planned) => plannedBatch(planned, examples, padId));
  const seeds = new Random(training.seed, DROPOUT_STREAM);
  seeds.position = step * training.gradient_accumulation_steps;
  return {
    batches,
    dropoutSeeds: batches.map(() => Math.floor(seeds.uint32() / 2)),
    learningRate: learningRate(
      { ...training, warmup_steps: plan.warmupSteps, max_steps: plan.maxSteps },
      step,
    ),
  };
}
