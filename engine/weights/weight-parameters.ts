import path from 'node:path';
import type { Parameters } from '../architectures/parameters.ts';
import { LorafaError } from '../errors.ts';
import type { TensorDtype, TensorLocation } from '../formats/tensor-location.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { DType } from '../graph/dtype.ts';
import type { Value } from '../graph/value.ts';
import type { ComputeMode } from './compute-mode.ts';
import type { WeightStore } from './weight-store.ts';

/** Parameters whose products can be computed in several ways. */
export interface WeightParameters extends Parameters {
  /** How products with the decoder layers' weights are computed. */
  readonly compute: ComputeMode;
}

const GRAPH_DTYPE: { readonly [K in TensorDtype]?: DType } = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  // Codes of a quantized weight.
  U8: 'uint8',
  I8: 'int8',
};

/** Frozen parameters: weights mapped where they lie on disk. */
export function mappedParameters(builder: GraphBuilder, weights: WeightStore): WeightParameters {
  return memoized(weights, (name) => {
    const location = weights.get(name);
    return builder.weight(name, graphDtype(location), location.shape, {
      file: path.basename(location.file),
      offset: location.offset,
      length: location.length,
    });
  });
}

/** Trained parameters: float32 inputs of the graph, named like the tensors. */
export function trainedParameters(builder: GraphBuilder, weights: WeightStore): WeightParameters {
  return memoized(weights, (name) => builder.input(name, 'float32', weights.get(name).shape));
}

function memoized(
  { tensors, compute }: WeightStore,
  make: (name: string) => Value,
): WeightParameters {
  const made = new Map<string, Value>();
  return {
    compute,
    has: (name) => tensors.has(name),
    stored(name) {
      const known = made.get(name) ?? make(name);
      made.set(name, known);
      return known;
    },
  };
}

function graphDtype(location: TensorLocation): DType {
  const dtype = GRAPH_DTYPE[location.dtype];
  if (dtype !== undefined) return dtype;
  throw new LorafaError(
    'model.unsupported',
    `${location.file}: the tensor "${location.name}" is ${location.dtype}; weights must be F32, F16 or BF16.`,
    { location: { file: location.file, offset: location.offset } },
  );
}
