import { outputEmbeddingName, storedRows } from '../architectures/decoder.ts';
import type { DecoderConfig } from '../architectures/decoder-config.ts';
import type { Embed, Linear } from '../architectures/decoder-graph.ts';
import { linearModules } from '../architectures/linear-modules.ts';
import { type OutputLayer, outputLayer } from '../architectures/output-layer.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import {
  type Bfloat16Arithmetic,
  bfloat16OutputLayer,
  bfloat16Products,
} from './bfloat16-linear.ts';
import { bfloat16Stored } from './bfloat16-weights.ts';
import {
  blockwiseOutputLayer,
  blockwiseProducts,
  blockwiseRows,
  isBlockwise,
} from './blockwise-linear.ts';
import { isBfloat16Mode } from './compute-mode.ts';
import { int8Products } from './int8-linear.ts';
import { isNf4, nf4Bfloat16Products, nf4Product } from './nf4-linear.ts';
import type { WeightParameters } from './weight-parameters.ts';

/** What the frozen linear layers of a graph are made of. */
export interface BaseLinearOptions {
  readonly builder: GraphBuilder;
  readonly config: DecoderConfig;
  readonly parameters: WeightParameters;
  /** How bfloat16 numbers are multiplied; as the CPU does it unless given. */
  readonly arithmetic?: Bfloat16Arithmetic | undefined;
}

/** A linear layer that is computed in float32. */
export interface DenseLayer {
  /** float32 `[out, in]`; with `fanInFanOut` `[in, out]` */
  readonly weight: Value;
  readonly fanInFanOut: boolean;
  /** float32 `[out]` */
  readonly bias: Value | undefined;
}

/** The linear layers of a base model. */
export interface BaseLayers {
  /** `y = x Wᵀ + b`, computed as the form of the weights asks for. */
  readonly linear: Linear;
  /** A layer by its module name; undefined where its products are not those of float32 numbers. */
  readonly dense: (module: string) => DenseLayer | undefined;
  /** Rows of an embedding. */
  readonly embed: Embed;
  /** The layer that makes logits, where it is frozen. */
  readonly output: () => OutputLayer;
}

/** The base model's linear layers as parts of a graph. */
export function baseLayers({
  builder,
  config,
  parameters,
  arithmetic,
}: BaseLinearOptions): BaseLayers {
  const modules = new Map(linearModules(config).map((module) => [module.name, module]));
  const float32 = (name: string): Value => builder.cast(parameters.stored(name), 'float32');
  const biasOf = (module: string): Value | undefined =>
    modules.get(module)!.bias ? float32(`${module}.bias`) : undefined;
  const narrow = narrowProducts(builder, parameters, arithmetic);
  const blockwise = blockwiseProducts({ builder, parameters });
  const nf4Rounded = nf4Bfloat16Products({ builder, parameters });
  const narrowProduct = (module: string, x: Value): Value => {
    const weight = `${module}.weight`;
    const { outFeatures } = modules.get(module)!;
    if (isBlockwise(parameters, weight)) return blockwise(weight, x);
    if (!isNf4(parameters, weight)) return narrow!(weight, x);
    return parameters.compute === 'bfloat16'
      ? nf4Rounded(weight, x, outFeatures)
      : nf4Product({ builder, parameters }, weight, x, outFeatures);
  };
  const dense = (module: string): DenseLayer | undefined => {
    const weight = `${module}.weight`;
    const { inExpert, fanInFanOut } = modules.get(module)!;
    const isNarrow = narrow !== undefined && !inExpert;
    if (isNarrow || isNf4(parameters, weight) || isBlockwise(parameters, weight)) return undefined;
    return { weight: float32(weight), fanInFanOut, bias: biasOf(module) };
  };
  return {
    dense,
    embed: (table, indices, width) => {
      const rows = isBlockwise(parameters, table) ? blockwiseRows : storedRows;
      return rows({ builder, parameters })(table, indices, width);
    },
    output: () => {
      const embedding = outputEmbeddingName(config);
      if (isBlockwise(parameters, embedding)) {
        return blockwiseOutputLayer({ builder, parameters }, embedding);
      }
      // Beside weights in NF4 it is as it was stored.
      const isNarrow = bfloat16Stored(parameters, embedding).dtype === 'bfloat16';
      return isNarrow && isBfloat16Mode(parameters.compute)
        ? bfloat16OutputLayer(builder, parameters, embedding, arithmetic)
        : outputLayer({ builder, config, parameters });
    },
    linear: (module, x) => {
      const layer = dense(module);
      if (layer !== undefined) return denseProduct(builder, x, layer);
      const product = narrowProduct(module, x);
      const bias = biasOf(module);
      return bias === undefined ? product : builder.add(product, bias);
    },
  };
}

/** Products by fewer bits than float32 has; undefined where they are float32's. */
function narrowProducts(
  builder: GraphBuilder,
  parameters: WeightParameters,
  arithmetic: Bfloat16Arithmetic | undefined,
): ((weight: string, x: Value) => Value) | undefined {
  if (parameters.compute === 'int8') return int8Products(builder, parameters);
  if (isBfloat16Mode(parameters.compute)) return bfloat16Products(builder, parameters, arithmetic);
  return undefined;
}

/** `x Wᵀ + b`, `[tokens, in] → [tokens, out]`. */
export function denseProduct(
  builder: GraphBuilder,
  x: Value,
  { weight, fanInFanOut, bias }: DenseLayer,
): Value {
  return builder.gemm(x, weight, { transB: !fanInFanOut, ...(bias !== undefined && { c: bias }) });
}
