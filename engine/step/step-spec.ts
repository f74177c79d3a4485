import type { ResolvedConfig } from '../config/schema.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import type { BaseModel } from '../models/base-model.ts';

/** What a run trains, by names and sizes. */
export interface Trained {
  /** The adapted layers; none for a full fine-tune. */
  readonly modules: readonly LoraModule[];
  readonly trainable: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** True where the base's own weights are trained. */
  readonly trainBase: boolean;
}

/**
 * What a step computes, whatever its batch. Trainer, evaluations, estimates and diagnostics all have it from
 * {@link stepSpec}, so that they speak of the same step.
 */
export interface StepSpec {
  readonly model: Pick<BaseModel, 'config' | 'weights'>;
  /** The adapted layers; none for a full fine-tune. */
  readonly modules: readonly LoraModule[];
  /** Names of the tensors whose gradients are wanted, as the inputs of the graph bear them. */
  readonly trainable: readonly string[];
  /** True where the base's own weights are inputs (method "full") instead of mapped files. */
  readonly trainBase: boolean;
  readonly dropout: number;
  /** Rows may hold several examples, which do not see each other; one unless given. */
  readonly packing?: boolean;
}

/** The step that trains what is trained. */
export function stepSpec(
  { data, lora }: Pick<ResolvedConfig, 'data' | 'lora'>,
  model: StepSpec['model'],
  { modules, trainable, trainBase }: Trained,
): StepSpec {
  return {
    ...{ model, modules, trainBase },
    trainable: trainable.map(({ name }) => name),
    dropout: lora.lora_dropout,
    packing: data.packing,
  };
}

/** The losses that a step has, without its gradients and its dropout. */
export function evaluationSpec<Spec extends StepSpec>(spec: Spec): Spec {
  return { ...spec, trainable: [], dropout: 0 };
}
