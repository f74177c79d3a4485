import { type BatchShape, causalAttention } from '../architectures/causal-attention.ts';
import {
  crossEntropy,
  crossEntropyWithGradients,
  type LossParts,
  type LossTokens,
} from '../architectures/cross-entropy.ts';
import { decoderHiddenStates, outputEmbeddingName } from '../architectures/decoder.ts';
import type { DecoderConfig } from '../architectures/decoder-config.ts';
import type { Attention, DecoderGraph, Recompute } from '../architectures/decoder-graph.ts';
import { fusedAttention } from '../architectures/fused-attention.ts';
import { fusedGate } from '../architectures/gate.ts';
import { isTied } from '../architectures/modules.ts';
import { pullback } from '../graph/autodiff.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import { accumulateProducts } from '../graph/passes/accumulate-products.ts';
import { addToInputs } from '../graph/passes/add-to-inputs.ts';
import { removeDeadCode } from '../graph/passes/dead-code.ts';
import { fuseTransposedMatmul } from '../graph/passes/fuse-transposed-matmul.ts';
import { multiplyRounded } from '../graph/passes/multiply-rounded.ts';
import { scaleRowsLast } from '../graph/passes/scale-rows-last.ts';
import { upcastPerUse } from '../graph/passes/upcast-per-use.ts';
import type { Value } from '../graph/value.ts';
import { loraLinear } from '../lora/lora-linear.ts';
import { CPU, type Device } from '../runtime/device.ts';
import { baseLayers } from '../weights/base-linear.ts';
import { ONNX_ARITHMETIC } from '../weights/bfloat16-linear.ts';
import { isBfloat16Mode } from '../weights/compute-mode.ts';
import {
  mappedParameters,
  trainedParameters,
  type WeightParameters,
} from '../weights/weight-parameters.ts';
import { inputDropout } from './dropout.ts';
import type { StepSpec } from './step-spec.ts';

/** Static sizes of a training graph. */
export interface TrainingShape extends BatchShape {
  /** Tokens whose loss is computed; those that count, filled up to a full last chunk. */
  readonly lossTokens: number;
}

/**
 * Sessions that are kept for batches of the same shape to come. One takes a few kilobytes per node
 * (45 MB for 30 layers) and a fraction of a second to make.
 */
export const MAX_SESSIONS = 3;

/**
 * The same on a CUDA device, where a session has to be captured before it is of use: as many as the shapes that
 * occur where the configuration leaves padding open (four lengths, and four parts of a batch that have a loss).
 */
export const MAX_CAPTURED_SESSIONS = 16;

/** A step on batches of one shape. */
export interface TrainingGraphOptions extends StepSpec {
  readonly shape: TrainingShape;
  readonly recompute: Recompute;
  /** What computes it, on which the ops for bfloat16 depend; the CPU unless given. */
  readonly device?: Device;
}

/** Name of the input that a tensor's gradient is added to. */
export const gradientSumName = (tensor: string): string => `gradient_sum.${tensor}`;

/** Names of the inputs that change from batch to batch. */
export const BATCH_INPUTS = {
  /** int64 `[rows · length]` */
  tokenIds: 'input_ids',
  /** int64 `[rows · length]`, from 0 in each example */
  positions: 'position_ids',
  /** int64 `[lossTokens]`: which tokens of the batch have a loss */
  lossRows: 'loss_rows',
  /** int64 `[lossTokens]`: the tokens that should follow them */
  targets: 'targets',
  /** float32 `[lossTokens]`: what the loss of each counts */
  lossWeights: 'loss_weights',
  /** int64 `[]`: decides the dropout mask; an input only where there is dropout */
  dropoutSeed: 'dropout_seed',
} as const;

/**
 * Forward, loss and backward of one batch as one graph. Outputs: `loss`, the weighted sum of the
 * token losses, and under the name of each trainable tensor its gradient, added to an input of the name
 * that {@link gradientSumName} gives, which a run may write it over.
 */
export function trainingGraph(options: TrainingGraphOptions): Graph {
  const { model, modules, shape, trainable, trainBase, dropout, device = CPU } = options;
  const { config, weights } = model;
  const builder = new GraphBuilder();
  const tokens = shape.rows * shape.length;
  const tokenIds = builder.input(BATCH_INPUTS.tokenIds, 'int64', [tokens]);
  const positions = builder.input(BATCH_INPUTS.positions, 'int64', [tokens]);
  const lossTokens: LossTokens = {
    rows: builder.input(BATCH_INPUTS.lossRows, 'int64', [shape.lossTokens]),
    targets: builder.input(BATCH_INPUTS.targets, 'int64', [shape.lossTokens]),
    weights: builder.input(BATCH_INPUTS.lossWeights, 'float32', [shape.lossTokens]),
  };
  const parameters = trainBase
    ? trainedParameters(builder, weights)
    : mappedParameters(builder, weights);
  const hasOwnOps = isBfloat16Mode(parameters.compute) && device.kind === 'cpu';
  const arithmetic = device.kind === 'cpu' ? undefined : ONNX_ARITHMETIC;
  const base = baseLayers({ builder, config, parameters, arithmetic });
  const packed = options.packing ? positions : undefined;
  const parts = {
    builder,
    config,
    parameters,
    output: base.output(),
    linear: loraLinear({
      builder,
      base,
      modules,
      dropout:
        dropout === 0 || trainable.length === 0
          ? undefined
          : inputDropout(builder, dropout, builder.input(BATCH_INPUTS.dropoutSeed, 'int64', [])),
      mergeForTokens: tokens,
    }),
    attention: hasOwnOps
      ? oneOpAttention(builder, config, parameters, shape, packed)
      : causalAttention(builder, config, shape, packed),
    ...(hasOwnOps && { gate: fusedGate(builder, ownFactors(parameters)) }),
    recompute: options.recompute,
  };
  const hidden = decoderHiddenStates(parts, tokenIds, positions);
  const outputs: Record<string, Value> =
    trainable.length === 0
      ? { loss: crossEntropy(parts, hidden, lossTokens) }
      : lossAndGradients(parts, hidden, lossTokens, trainable, trainBase);
  // Not `fuseGemmAdd`: Gemm copies what it adds to on one thread, which costs more than an Add.
  const passes = [
    removeDeadCode,
    scaleRowsLast,
    fuseTransposedMatmul,
    upcastPerUse,
    ...(ownFactors(parameters) === 'bfloat16' && hasOwnOps ? [multiplyRounded] : []),
    ...(hasOwnOps ? [accumulateProducts] : []),
    removeDeadCode,
  ];
  const graph = passes.reduce((graph, pass) => pass(graph), builder.finish(outputs));
  return addToInputs(graph, new Map(trainable.map((name) => [name, gradientSumName(name)])));
}

/** Attention of a batch as one op of our own, where those multiply bfloat16 numbers anyway. */
function oneOpAttention(
  builder: GraphBuilder,
  config: DecoderConfig,
  parameters: WeightParameters,
  shape: BatchShape,
  positions: Value | undefined,
): Attention {
  const attention = causalAttention(builder, config, shape, positions);
  return fusedAttention(builder, ownFactors(parameters), shape, attention, positions);
}

/** What factors are rounded to that have no weights in bfloat16 among them. */
function ownFactors({ compute }: WeightParameters): 'bfloat16' | 'float32' {
  return compute === 'bfloat16' ? 'bfloat16' : 'float32';
}

function lossAndGradients(
  parts: DecoderGraph & LossParts,
  hidden: Value,
  lossTokens: LossTokens,
  trainable: readonly string[],
  trainBase: boolean,
): Record<string, Value> {
  const { builder } = parts;
  const inputs = new Map(builder.values.map((value) => [value.name, value]));
  const wanted = trainable.map((name) => inputs.get(name)!);
  const head = crossEntropyWithGradients(parts, hidden, lossTokens, trainBase);
  const outputEmbedding = outputEmbeddingName(parts.config);
  // An output layer of its own has no part in the hidden states.
  const inBody = wanted.filter(({ name }) => name !== outputEmbedding || isTied(parts.config));
  const body = pullback(builder, hidden, head.hiddenGradient, inBody);
  const gradients = wanted.map((tensor): [string, Value] => {
    const parts = [
      body.get(tensor),
      tensor.name === outputEmbedding ? head.embeddingGradient : undefined,
    ].filter((part) => part !== undefined);
    return [tensor.name, parts.reduce((a, b) => builder.add(a, b))];
  });
  // The loss comes last: outputs are visited in order, and it needs every chunk.
  return { ...Object.fromEntries(gradients), loss: head.loss };
}
