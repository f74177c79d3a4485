import type { Recompute } from '../architectures/decoder-graph.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { evaluationBatchSize } from '../plan/evaluation-batches.ts';
import { OutOfMemory } from '../runtime/out-of-memory.ts';

/** What a run was computed with when memory was at its end. */
export interface MemoryUse {
  readonly recompute: Recompute;
  /** Whether it has evaluations. */
  readonly evaluates: boolean;
}

/**
 * An error of a run, which for memory that is at its end names the settings that help: first those with which its latest
 * checkpoint goes on.
 */
export function withSettings(error: unknown, config: ResolvedConfig, use: MemoryUse): unknown {
  if (!(error instanceof OutOfMemory)) return error;
  const { problem, isBound, detail } = error;
  const wayOut = memoryWayOut(config, use, isBound);
  return new OutOfMemory(problem, {
    ...{ isBound, wayOut, cause: error },
    ...(detail !== undefined && { detail }),
  });
}

function memoryWayOut(
  config: ResolvedConfig,
  { recompute, evaluates }: MemoryUse,
  isBound: boolean,
): string {
  const { model, training, engine } = config;
  const resumable = [
    ...(isBound ? ['a larger engine.max_memory_gib'] : []),
    ...(recompute === 'layer' ? [] : ['training.gradient_checkpointing "layer"']),
    ...(evaluates && evaluationBatchSize(config) > 1
      ? ['a smaller training.per_device_eval_batch_size']
      : []),
  ];
  const canBeNf4 =
    model.quantization === 'none' && training.method !== 'full' && engine.compute === 'float32';
  const others = [
    ...(training.per_device_train_batch_size > 1
      ? ['a smaller training.per_device_train_batch_size']
      : []),
    'a smaller data.max_length',
    ...(canBeNf4 ? ['model.quantization "nf4"'] : []),
  ];
  const anew = `start anew with ${others.join(' or ')}`;
  return resumable.length === 0 ? anew : `resume with ${resumable.join(' or ')}, or ${anew}`;
}
