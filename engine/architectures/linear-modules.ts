import type { DecoderConfig } from './decoder-config.ts';
import { decoderModules } from './modules.ts';

/** A linear layer inside a decoder layer. */
export interface LinearModule {
  /** `model.layers.0.self_attn.q_proj` */
  readonly name: string;
  readonly layer: number;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
  /** As in `LinearPart`. */
  readonly fanInFanOut: boolean;
  /** Whether it is part of an expert, so that only a run shows how many rows it is given. */
  readonly inExpert: boolean;
}

/** All linear layers of a decoder in the order of the forward pass, the output layer excluded. */
export function linearModules(config: DecoderConfig): LinearModule[] {
  return decoderModules(config).flatMap(({ part, layer, inExpert }) => {
    if (part.kind !== 'linear' || layer === null) return [];
    const { kind: _kind, ...linear } = part;
    return [{ ...linear, layer, inExpert }];
  });
}
