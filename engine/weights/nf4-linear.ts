import type { Parameters } from '../architectures/parameters.ts';
import { nf4Blocks } from '../formats/nf4.ts';
import { DYNAMIC_MAP } from '../formats/nf4-double.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import { NF4_NAMES } from './nf4-weights.ts';

/** Where the tensors of a weight in NF4 are found. */
export interface Nf4Source {
  readonly builder: GraphBuilder;
  readonly parameters: Parameters;
}

/** Whether a weight is in NF4. */
export function isNf4(parameters: Parameters, weight: string): boolean {
  return parameters.has(NF4_NAMES.absmax(weight));
}

/** `x · Wᵀ`, `[tokens, in] → [tokens, out]`, with a weight in NF4 under its name. */
export function nf4Product(
  source: Nf4Source,
  weight: string,
  x: Value,
  outFeatures: number,
): Value {
  const { builder, parameters } = source;
  const inFeatures = Number(x.shape[1]);
  // Recomputed, so that magnitudes of double quantization are not kept for the backward pass.
  return builder.recomputed(() => {
    const absmax = nf4Magnitudes(source, weight, nf4Blocks(inFeatures * outFeatures));
    return builder.matmulBnb4(x, parameters.stored(weight), absmax, { inFeatures, outFeatures });
  });
}

/**
 * {@link nf4Product} with x and the weight in bfloat16, as tensor cores of CUDA take them; what it gives is
 * float32. What several weights are multiplied with is rounded once.
 */
export function nf4Bfloat16Products(
  source: Nf4Source,
): (weight: string, x: Value, outFeatures: number) => Value {
  const { builder, parameters } = source;
  const known = new Map<Value, Value>();
  const rounded = (x: Value): Value => {
    const value = known.get(x) ?? builder.cast(x, 'bfloat16');
    known.set(x, value);
    return value;
  };
  return (weight, x, outFeatures) => {
    const sizes = { inFeatures: Number(x.shape[1]), outFeatures };
    const blocks = nf4Blocks(sizes.inFeatures * outFeatures);
    const codes = parameters.stored(weight);
    const absmax = (): Value => builder.cast(nf4Magnitudes(source, weight, blocks), 'bfloat16');
    const product = builder.matmulBnb4(rounded(x), codes, absmax(), sizes);
    return builder.withGradients(builder.cast(product, 'float32'), [
      {
        input: x,
        pullback: (cotangent) => {
          const matrix = builder.dequantizeNf4(codes, absmax(), sizes);
          return builder.cast(builder.gemm(rounded(cotangent), matrix), 'float32');
        },
      },
    ]);
  };
}

/** Magnitudes as float32 `[blocks]`: as they are stored, or made of what double quantization left. */
function nf4Magnitudes({ builder, parameters }: Nf4Source, weight: string, blocks: number): Value {
  const stored = parameters.stored(NF4_NAMES.absmax(weight));
  if (!parameters.has(NF4_NAMES.nestedAbsmax(weight))) return stored;
  const map = builder.constant([...DYNAMIC_MAP], [DYNAMIC_MAP.length]);
  const distances = builder.mul(
    builder.gather(map, builder.cast(stored, 'int32')),
    parameters.stored(NF4_NAMES.nestedAbsmax(weight)),
  );
  const magnitudes = builder.add(distances, parameters.stored(NF4_NAMES.nestedOffset(weight)));
  const [rows, columns] = stored.shape as [number, number];
  // The last block of magnitudes is filled up.
  return builder.slice(builder.reshape(magnitudes, [rows * columns]), 0, 0, blocks);
}
