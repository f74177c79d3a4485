import { decoderHiddenStates, finishLogits } from '../architectures/decoder.ts';
import { dependsOnTextLength } from '../architectures/rotary-embedding.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Dim } from '../graph/dim.ts';
import type { Graph } from '../graph/graph.ts';
import { removeDeadCode } from '../graph/passes/dead-code.ts';
import { fuseGemmAdd } from '../graph/passes/fuse-gemm-add.ts';
import { upcastPerUse } from '../graph/passes/upcast-per-use.ts';
import type { Value } from '../graph/value.ts';
import { loraLinear } from '../lora/lora-linear.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import type { BaseModel } from '../models/base-model.ts';
import { baseLayers } from '../weights/base-linear.ts';
import { isBfloat16Mode } from '../weights/compute-mode.ts';
import { mappedParameters } from '../weights/weight-parameters.ts';
import { cachedAttention } from './cached-attention.ts';

/** Names of the inputs that change from run to run, and of the outputs. */
export const GENERATION_TENSORS = {
  /** Input, int64 `[sequence]`: the next tokens of one text */
  tokenIds: 'input_ids',
  /** Input, int64 `[sequence]` */
  positions: 'position_ids',
  /** Input, int64 `[past]`: the position of the token in each slot of the cache after the run */
  slotPositions: 'slot_position_ids',
  /** Input, int64 `[sequence]`: the slots that the new tokens take */
  slots: 'cache_slots',
  /** Input, int64 `[rows]`: which of the new tokens' logits are wanted, counted from 0 */
  logitRows: 'logit_rows',
  /** Input, int64 `[]`, where a longer text is turned by other angles: the tokens that it has */
  textLength: 'text_length',
  /** Output, float32 `[rows, vocabSize]` */
  logits: 'logits',
  /** Input, float32 `[past, numKeyValueHeads, headDim]` */
  pastKey: (layer: number) => `past_key_values.${layer}.key`,
  /** The same of the values */
  pastValue: (layer: number) => `past_key_values.${layer}.value`,
  /** Output, like the input: the keys with those of the new tokens, which a run writes over the input */
  newKey: (layer: number) => `present.${layer}.key`,
  /** The same of the values */
  newValue: (layer: number) => `present.${layer}.value`,
} as const;

/** The sizes that differ from run to run: new tokens, slots of the cache, and tokens whose logits are wanted. */
export interface GenerationSizes {
  readonly sequence: Dim;
  readonly past: Dim;
  readonly rows: Dim;
}

/** Sizes that are free from run to run. */
export const FREE_SIZES: GenerationSizes = { sequence: 'sequence', past: 'past', rows: 'rows' };

/** Runs of so many tokens, of which the logits of one are wanted: ops of our own are made for fixed numbers of rows. */
export function fixedSizes(sequence: number): GenerationSizes {
  return { ...FREE_SIZES, sequence, rows: 1 };
}

/**
 * The forward pass of the next tokens of one text over a cache of the tokens before. Its sizes are
 * free from run to run unless they are given; the adapters' A and B are inputs.
 *
 * @param hasAttention whether the device computes ONNX's Attention, as the CPU does
 */
export function generationGraph(
  model: Pick<BaseModel, 'config' | 'weights'>,
  modules: readonly LoraModule[],
  { sequence, past, rows }: GenerationSizes = FREE_SIZES,
  hasAttention = true,
): Graph {
  const { config, weights } = model;
  const names = GENERATION_TENSORS;
  const builder = new GraphBuilder();
  const tokenIds = builder.input(names.tokenIds, 'int64', [sequence]);
  const positions = builder.input(names.positions, 'int64', [sequence]);
  const logitRows = builder.input(names.logitRows, 'int64', [rows]);
  const parameters = mappedParameters(builder, weights);
  const outputs: Record<string, Value> = {};
  const pastInput = (name: string, layer: number): Value => {
    const { numKeyValueHeads, headDim } = config.layers[layer]!.attention;
    return builder.input(name, 'float32', [past, numKeyValueHeads, headDim]);
  };
  // A token's attention is too little to be divided among threads of oneDNN.
  const isChunk = isBfloat16Mode(weights.compute) && typeof sequence === 'number' && sequence > 1;
  const attentionOp = isChunk ? 'chunkAttention' : 'groupedAttention';
  const attention = cachedAttention({
    ...{ builder, config, positions },
    attentionOp: hasAttention ? attentionOp : undefined,
    slotPositions: builder.input(names.slotPositions, 'int64', [past]),
    slots: builder.input(names.slots, 'int64', [sequence]),
    past: (layer) => ({
      key: pastInput(names.pastKey(layer), layer),
      value: pastInput(names.pastValue(layer), layer),
    }),
    onWritten: (layer, { key, value }) => {
      outputs[names.newKey(layer)] = key;
      outputs[names.newValue(layer)] = value;
    },
  });
  const base = baseLayers({ builder, config, parameters });
  const linear = loraLinear({ builder, base, modules });
  const textLength = dependsOnTextLength(config)
    ? builder.input(names.textLength, 'int64', [])
    : undefined;
  const { embed } = base;
  const parts = { builder, config, parameters, linear, attention, embed, textLength };
  const hidden = decoderHiddenStates(parts, tokenIds, positions);
  outputs[names.logits] = builder.scope('logits', () =>
    finishLogits(parts, base.output().products(builder.gather(hidden, logitRows))),
  );
  return removeDeadCode(upcastPerUse(fuseGemmAdd(builder.finish(outputs))));
}
