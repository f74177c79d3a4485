import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { Linear } from './decoder.ts';
import type { DecoderConfig } from './decoder-config.ts';
import { linearBiases } from './linear-modules.ts';
import type { Parameters } from './parameters.ts';

/** What the frozen linear layers of a graph are made of. */
export interface BaseLinearOptions {
  readonly builder: GraphBuilder;
  readonly config: DecoderConfig;
  readonly parameters: Parameters;
}

/** The base model's linear layers, `y = x Wᵀ + b`, computed in float32. */
export function baseLinear({ builder, config, parameters }: BaseLinearOptions): Linear {
  const biases = linearBiases(config);
  const float32 = (name: string): Value => builder.cast(parameters.stored(name), 'float32');
  return (name, x) => {
    const bias = biases(name) ? { c: float32(`${name}.bias`) } : {};
    return builder.gemm(x, float32(`${name}.weight`), { transB: true, ...bias });
  };
}
