import { gradients } from '../graph/autodiff.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import { removeDeadCode } from '../graph/passes/dead-code.ts';
import { fuseGemmAdd } from '../graph/passes/fuse-gemm-add.ts';
import { upcastPerUse } from '../graph/passes/upcast-per-use.ts';
import type { Value } from '../graph/value.ts';
import { loraLinear } from '../lora/lora-linear.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import type { BaseModel } from '../models/base-model.ts';
import { type BatchShape, causalAttention } from '../models/causal-attention.ts';
import { crossEntropy } from '../models/cross-entropy.ts';
import { decoderHiddenStates } from '../models/decoder.ts';
import { mappedParameters, trainedParameters } from '../models/parameters.ts';
import { inputDropout } from './dropout.ts';

/** What one training step computes. */
export interface TrainingGraphOptions {
  readonly model: Pick<BaseModel, 'config' | 'weights'>;
  /** The adapted layers; none for a full fine-tune. */
  readonly modules: readonly LoraModule[];
  readonly shape: BatchShape;
  /** Names of the tensors whose gradients are wanted, as the inputs of the graph bear them. */
  readonly trainable: readonly string[];
  /** True where the base's own weights are inputs (method "full") instead of mapped files. */
  readonly trainBase: boolean;
  readonly dropout: number;
}

/** Names of the inputs that change from batch to batch. */
export const BATCH_INPUTS = {
  /** int64 `[rows · length]` */
  tokenIds: 'input_ids',
  /** int64 `[rows · length]`, from 0 in each row */
  positions: 'position_ids',
  /** int64 `[rows · length]`: the token that should follow */
  targets: 'targets',
  /** float32 `[rows · length]`: what a token's loss counts, 0 where it is not supervised */
  lossWeights: 'loss_weights',
  /** int64 `[]`: decides the dropout mask; an input only where there is dropout */
  dropoutSeed: 'dropout_seed',
} as const;

/**
 * Forward, loss and backward of one batch as one graph. Outputs: `loss`, the weighted sum of the
 * token losses, and under the name of each trainable tensor its gradient.
 */
export function trainingGraph(options: TrainingGraphOptions): Graph {
  const { model, modules, shape, trainable, trainBase, dropout } = options;
  const { config, weights } = model;
  const builder = new GraphBuilder();
  const tokens = shape.rows * shape.length;
  const tokenIds = builder.input(BATCH_INPUTS.tokenIds, 'int64', [tokens]);
  const positions = builder.input(BATCH_INPUTS.positions, 'int64', [tokens]);
  const targets = builder.input(BATCH_INPUTS.targets, 'int64', [tokens]);
  const lossWeights = builder.input(BATCH_INPUTS.lossWeights, 'float32', [tokens]);
  const parameters = trainBase
    ? trainedParameters(builder, weights)
    : mappedParameters(builder, weights);
  const parts = {
    builder,
    config,
    parameters,
    linear: loraLinear({
      builder,
      config,
      parameters,
      modules,
      dropout:
        dropout === 0 || trainable.length === 0
          ? undefined
          : inputDropout(builder, dropout, builder.input(BATCH_INPUTS.dropoutSeed, 'int64', [])),
    }),
    attention: causalAttention(builder, config, shape),
  };
  const hidden = decoderHiddenStates(parts, tokenIds, positions);
  const loss = crossEntropy(parts, hidden, targets, lossWeights);
  const inputs = new Map(builder.values.map((value) => [value.name, value]));
  const outputs: Record<string, Value> = { loss };
  const wanted = trainable.map((name) => inputs.get(name)!);
  for (const [tensor, gradient] of gradients(builder, loss, wanted)) {
    outputs[tensor.name] = gradient;
  }
  return upcastPerUse(fuseGemmAdd(removeDeadCode(builder.finish(outputs))));
}
