import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { Linear } from './decoder.ts';
import type { DecoderConfig } from './decoder-config.ts';
import { int8Products } from './int8-linear.ts';
import { linearBiases, linearModules } from './linear-modules.ts';
import { isNf4, nf4Product } from './nf4-linear.ts';
import type { Parameters } from './parameters.ts';

/** What the frozen linear layers of a graph are made of. */
export interface BaseLinearOptions {
  readonly builder: GraphBuilder;
  readonly config: DecoderConfig;
  readonly parameters: Parameters;
}

/** The base model's linear layers, `y = x Wᵀ + b`, computed as the form of their weights asks for. */
export function baseLinear({ builder, config, parameters }: BaseLinearOptions): Linear {
  const biases = linearBiases(config);
  const widths = new Map(linearModules(config).map((module) => [module.name, module.outFeatures]));
  const float32 = (name: string): Value => builder.cast(parameters.stored(name), 'float32');
  const int8 = parameters.compute === 'float32' ? undefined : int8Products(builder, parameters);
  return (name, x) => {
    const weight = `${name}.weight`;
    const bias = biases(name) ? float32(`${name}.bias`) : undefined;
    const withBias = (product: Value): Value =>
      bias === undefined ? product : builder.add(product, bias);
    if (isNf4(parameters, weight)) {
      return withBias(nf4Product({ builder, parameters }, weight, x, widths.get(name)!));
    }
    if (int8 !== undefined) return withBias(int8(weight, x));
    return builder.gemm(x, float32(weight), {
      transB: true,
      ...(bias !== undefined && { c: bias }),
    });
  };
}
