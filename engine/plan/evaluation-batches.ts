import type { ResolvedConfig } from '../config/schema.ts';
import type { BatchOptions } from '../data/epoch-plan.ts';

/** Rows of a batch of an evaluation. */
export function evaluationBatchSize({ training }: Pick<ResolvedConfig, 'training'>): number {
  return training.per_device_eval_batch_size ?? training.per_device_train_batch_size;
}

/** How a configuration's held-out examples become batches. */
export function evaluationBatches(config: Pick<ResolvedConfig, 'data' | 'training'>): BatchOptions {
  const { data } = config;
  return {
    batchSize: evaluationBatchSize(config),
    padToMultipleOf: data.pad_to_multiple_of,
    maxLength: data.max_length,
    packing: data.packing,
  };
}
