import type { ResolvedConfig } from '../config/schema.ts';
import { Optimizer } from '../optim/optimizer.ts';
import type { SessionOptions } from '../runtime/session.ts';
import type { Trainee } from './trainee.ts';

/**
 * The optimizer of a run, fresh: for LoRA-FA PEFT's own, for `lora` and `full` what transformers'
 * Trainer uses when it is told nothing.
 */
export function createOptimizer(
  { training }: Pick<ResolvedConfig, 'training'>,
  trainee: Pick<Trainee, 'trainable' | 'tensors' | 'projections'>,
  session: SessionOptions,
): Promise<Optimizer> {
  return Optimizer.create({
    tensors: trainee.trainable,
    weights: trainee.tensors,
    projections: trainee.projections,
    form: training.method === 'lorafa' ? 'adamw_hf' : 'adamw_torch',
    beta1: training.adam_beta1,
    beta2: training.adam_beta2,
    epsilon: training.adam_epsilon,
    weightDecay: training.weight_decay,
    maxGradNorm: training.max_grad_norm,
    session,
  });
}
