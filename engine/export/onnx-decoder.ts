import { decoderHiddenStates, finishLogits } from '../architectures/decoder.ts';
import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { outputLayer } from '../architectures/output-layer.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { addDims, mulDims } from '../graph/dim.ts';
import type { Graph } from '../graph/graph.ts';
import { removeDeadCode } from '../graph/passes/dead-code.ts';
import { fuseGemmAdd } from '../graph/passes/fuse-gemm-add.ts';
import { namedOutputs } from '../graph/passes/named-outputs.ts';
import type { Value } from '../graph/value.ts';
import { baseLayers } from '../weights/base-linear.ts';
import { mappedParameters } from '../weights/weight-parameters.ts';
import type { WeightStore } from '../weights/weight-store.ts';
import { onnxAttention } from './onnx-attention.ts';

/** Inputs and outputs under the names that Optimum gave them, which ONNX Runtime GenAI and transformers.js know. */
export const ONNX_TENSORS = {
  /** Input, int64 `[batch_size, sequence_length]` */
  inputIds: 'input_ids',
  /** Input, int64 `[batch_size, past_sequence_length + sequence_length]` */
  attentionMask: 'attention_mask',
  /** Input, int64 `[batch_size, sequence_length]` */
  positionIds: 'position_ids',
  /** Output, float32 `[batch_size, sequence_length, vocabSize]` */
  logits: 'logits',
  /** Input, float32 `[batch_size, numKeyValueHeads, past_sequence_length, headDim]`; layer may be a pattern */
  pastKey: (layer: number | string) => `past_key_values.${layer}.key`,
  pastValue: (layer: number | string) => `past_key_values.${layer}.value`,
  /** Output, float32 `[batch_size, numKeyValueHeads, past_sequence_length + sequence_length, headDim]` */
  presentKey: (layer: number | string) => `present.${layer}.key`,
  presentValue: (layer: number | string) => `present.${layer}.value`,
} as const;

/** transformers.js gives sizes of these names to an empty cache. */
const [BATCH, SEQUENCE, PAST] = ['batch_size', 'sequence_length', 'past_sequence_length'];

/**
 * Builds graphs of ops that ONNX specifies, or that ONNX Runtime has in a domain of its own: its RMSNorm is a guest in
 * ONNX's domain, where the specification knows none.
 */
class PortableBuilder extends GraphBuilder {
  override rmsNorm = (x: Value, weight: Value, epsilon: number): Value =>
    this.mul(this.mul(x, this.inverseRms(x, epsilon)), weight);
}

/** The next tokens of a batch of texts over a cache, as programs of others feed it; computes in float32. */
export function onnxDecoder(config: DecoderConfig, weights: WeightStore): Graph {
  const names = ONNX_TENSORS;
  const builder = new PortableBuilder();
  const inputIds = builder.input(names.inputIds, 'int64', [BATCH, SEQUENCE]);
  const attentionMask = builder.input(names.attentionMask, 'int64', [
    BATCH,
    addDims(PAST, SEQUENCE),
  ]);
  const positionIds = builder.input(names.positionIds, 'int64', [BATCH, SEQUENCE]);
  const parameters = mappedParameters(builder, weights);
  const outputs: Record<string, Value> = {};
  const attention = onnxAttention({
    builder,
    config,
    inputIds,
    attentionMask,
    past: (layer) => {
      const { numKeyValueHeads, headDim } = config.layers[layer]!.attention;
      const shape = [BATCH, numKeyValueHeads, PAST, headDim];
      return {
        key: builder.input(names.pastKey(layer), 'float32', shape),
        value: builder.input(names.pastValue(layer), 'float32', shape),
      };
    },
    present: (layer, { key, value }) => {
      outputs[names.presentKey(layer)] = key;
      outputs[names.presentValue(layer)] = value;
    },
  });
  const { linear } = baseLayers({ builder, config, parameters });
  const parts = { builder, config, parameters, linear, attention };
  const flat = (ids: Value): Value => builder.reshape(ids, [mulDims(BATCH, SEQUENCE)]);
  const hidden = decoderHiddenStates(parts, flat(inputIds), flat(positionIds));
  const logits = builder.scope('logits', () =>
    builder.unflatten(finishLogits(parts, outputLayer(parts).products(hidden)), inputIds),
  );
  const graph = builder.finish({ [names.logits]: logits, ...outputs });
  return namedOutputs(removeDeadCode(fuseGemmAdd(graph)));
}
