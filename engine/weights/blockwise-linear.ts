import type { DecoderConfig } from '../architectures/decoder-config.ts';
import type { Embed } from '../architectures/decoder-graph.ts';
import { linearModules } from '../architectures/linear-modules.ts';
import type { OutputLayer } from '../architectures/output-layer.ts';
import type { Parameters } from '../architectures/parameters.ts';
import { BLOCKWISE_NAMES } from '../formats/blockwise.ts';
import { elementCount } from '../formats/tensor-location.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Dim } from '../graph/dim.ts';
import type { Value } from '../graph/value.ts';
import { isBfloat16Mode } from './compute-mode.ts';
import type { WeightParameters } from './weight-parameters.ts';
import type { WeightStore } from './weight-store.ts';

/** Where the tensors of weights in blocks are found. */
export interface BlockwiseSource {
  readonly builder: GraphBuilder;
  readonly parameters: WeightParameters;
}

/** Whether a weight is in blocks of codes. */
export function isBlockwise(parameters: Parameters, weight: string): boolean {
  return parameters.has(BLOCKWISE_NAMES.scales(weight));
}

/** Whether all weights of the decoder layers are in blocks of codes of eight bits, and none of them in an expert. */
export function hasBlocksOfBytes(config: DecoderConfig, { tensors }: WeightStore): boolean {
  return linearModules(config).every(({ name, inExpert, inFeatures }) => {
    const codes = tensors.get(`${name}.weight`);
    const isInBytes = codes?.dtype === 'U8' && elementCount(codes.shape.slice(1)) === inFeatures;
    return isInBytes && !inExpert && tensors.has(BLOCKWISE_NAMES.scales(`${name}.weight`));
  });
}

/**
 * `(name of a weight W, x) → x · Wᵀ`, `[tokens, in] → [tokens, out]`, with W in blocks of codes, which are
 * multiplied as they are stored. Offsets are a small product of their own, with the sums of x over
 * blocks: `Σ x (s c + o) = s Σ x c + o Σ x`. Sums are shared by what several weights are multiplied with.
 */
export function blockwiseProducts({
  builder,
  parameters,
}: BlockwiseSource): (weight: string, x: Value) => Value {
  const known = new Map<Value, Map<number, Value>>();
  const sumsOf = (x: Value, blocks: number): Value => {
    const ofX = known.get(x) ?? new Map<number, Value>();
    known.set(x, ofX);
    const sums = ofX.get(blocks) ?? blockSums(builder, x, blocks);
    ofX.set(blocks, sums);
    return sums;
  };
  const rounded = new Map<Value, Value>();
  const roundedOf = (x: Value): Value => {
    const known = rounded.get(x) ?? builder.apply('toBfloat16', [x], {});
    rounded.set(x, known);
    return known;
  };
  return (weight, x) => {
    const codes = parameters.stored(weight);
    const scales = parameters.stored(BLOCKWISE_NAMES.scales(weight));
    const isUnpacked = isBfloat16Mode(parameters.compute) && x.shape[0] !== 1;
    const product = isUnpacked
      ? builder.apply('matmulBlocks', [roundedOf(x), codes, scales], {})
      : builder.matmulNBits(x, codes, scales, 'int8');
    const offsets = BLOCKWISE_NAMES.offsets(weight);
    if (!parameters.has(offsets)) return product;
    const sums = sumsOf(x, Number(codes.shape[1]));
    return builder.gemm(sums, parameters.stored(offsets), { transB: true, c: product });
  };
}

/** Rows of tables in blocks of codes. */
export function blockwiseRows({ builder, parameters }: BlockwiseSource): Embed {
  return (table, indices, width) => {
    const codes = parameters.stored(table);
    const scales = parameters.stored(BLOCKWISE_NAMES.scales(table));
    const offsets = BLOCKWISE_NAMES.offsets(table);
    const [count] = indices.shape as readonly [Dim];
    let rows = builder.gatherBlocks(codes, scales, indices, width);
    if (parameters.has(offsets)) {
      const ofRows = builder.gather(parameters.stored(offsets), indices);
      rows = builder.add(rows, builder.reshape(ofRows, [count, Number(codes.shape[1]), 1]));
    }
    return builder.reshape(rows, [count, width]);
  };
}

/** The output layer with its embedding in blocks of codes. */
export function blockwiseOutputLayer(source: BlockwiseSource, embedding: string): OutputLayer {
  const multiply = blockwiseProducts(source);
  return {
    embedding: source.parameters.stored(embedding),
    input: (hidden) => hidden,
    products: (input) => multiply(embedding, input),
  };
}

/** `[tokens, blocks · n] → [tokens, blocks]` */
function blockSums(builder: GraphBuilder, x: Value, blocks: number): Value {
  const [tokens, width] = x.shape as readonly [Dim, number];
  const inBlocks = builder.reshape(x, [tokens, blocks, width / blocks]);
  return builder.reshape(builder.reduceSum(inBlocks, [2]), [tokens, blocks]);
}
