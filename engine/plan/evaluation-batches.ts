import type { ResolvedConfig } from '../config/schema.ts';
import type { BatchOptions } from '../data/epoch-plan.ts';
import { paddingMultiple } from './padding-multiple.ts';

/** Rows of a batch of an evaluation. */
export function evaluationBatchSize({ training }: Pick<ResolvedConfig, 'training'>): number {
  return training.per_device_eval_batch_size ?? training.per_device_train_batch_size;
}

/** How a configuration's held-out examples become batches. */
export function evaluationBatches(config: Pick<ResolvedConfig, 'data' | 'training'>): BatchOptions {
  const { data } = config;
  return {
    batchSize: evaluationBatchSize(config),
    padToMultipleOf: paddingMultiple(data),
    maxLength: data.max_length,
    packing: data.packing,
  };
}
