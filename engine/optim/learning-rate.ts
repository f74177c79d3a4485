import type { ResolvedConfig } from '../config/schema.ts';

type SchedulerType = ResolvedConfig['training']['lr_scheduler_type'];

/** What a schedule depends on; the names are those of transformers' TrainingArguments. */
export interface ScheduleOptions {
  readonly lr_scheduler_type: SchedulerType;
  /** Where `cosine_with_min_lr` ends: absolute, or as a share of the peak. */
  readonly lr_scheduler_kwargs?: { readonly min_lr?: number; readonly min_lr_rate?: number };
  readonly learning_rate: number;
  readonly warmup_steps: number;
  /** Optimizer steps of the whole run. */
  readonly max_steps: number;
}

/**
 * The learning rate of an optimizer step, counted from 0, as transformers `get_scheduler` gives it
 * (`optimization.py`): it rises from 0 over the warm-up, so that the first warm-up step has rate 0.
 */
export function learningRate(options: ScheduleOptions, step: number): number {
  const { lr_scheduler_type: type, learning_rate: peak, warmup_steps, max_steps } = options;
  if (type === 'constant') return peak;
  if (step < warmup_steps) return peak * (step / Math.max(1, warmup_steps));
  const progress = (step - warmup_steps) / Math.max(1, max_steps - warmup_steps);
  switch (type) {
    case 'constant_with_warmup':
      return peak;
    case 'linear':
      return peak * Math.max(0, 1 - progress);
    case 'cosine':
      return peak * halfCosine(progress);
    case 'cosine_with_min_lr': {
      const { min_lr, min_lr_rate = (min_lr ?? 0) / peak } = options.lr_scheduler_kwargs ?? {};
      return peak * (halfCosine(progress) * (1 - min_lr_rate) + min_lr_rate);
    }
  }
}

/** Falls from 1 to 0 as progress goes from 0 to 1. */
function halfCosine(progress: number): number {
  return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
}
