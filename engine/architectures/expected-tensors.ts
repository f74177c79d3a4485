import type { DecoderConfig } from './decoder-config.ts';

/**
 * Name and shape of every tensor that a decoder of this config reads, in the order of the forward
 * pass. Matrices of linear layers are `[out, in]`.
 */
export function expectedTensors(config: DecoderConfig): Map<string, readonly number[]> {
  const { vocabSize, hiddenSize, intermediateSize, headDim } = config;
  const queryWidth = config.numHeads * headDim;
  const keyValueWidth = config.numKeyValueHeads * headDim;
  const tensors = new Map<string, readonly number[]>();

  const linear = (name: string, outWidth: number, inWidth: number, bias: boolean) => {
    tensors.set(`${name}.weight`, [outWidth, inWidth]);
    if (bias) tensors.set(`${name}.bias`, [outWidth]);
  };

  tensors.set('model.embed_tokens.weight', [vocabSize, hiddenSize]);
  for (let layer = 0; layer < config.numLayers; layer++) {
    const prefix = `model.layers.${layer}`;
    tensors.set(`${prefix}.input_layernorm.weight`, [hiddenSize]);
    linear(`${prefix}.self_attn.q_proj`, queryWidth, hiddenSize, config.attentionBias);
    linear(`${prefix}.self_attn.k_proj`, keyValueWidth, hiddenSize, config.attentionBias);
    linear(`${prefix}.self_attn.v_proj`, keyValueWidth, hiddenSize, config.attentionBias);
    if (config.qkNorm) {
      tensors.set(`${prefix}.self_attn.q_norm.weight`, [headDim]);
      tensors.set(`${prefix}.self_attn.k_norm.weight`, [headDim]);
    }
    linear(`${prefix}.self_attn.o_proj`, hiddenSize, queryWidth, config.attentionOutputBias);
    tensors.set(`${prefix}.post_attention_layernorm.weight`, [hiddenSize]);
    linear(`${prefix}.mlp.gate_proj`, intermediateSize, hiddenSize, config.mlpBias);
    linear(`${prefix}.mlp.up_proj`, intermediateSize, hiddenSize, config.mlpBias);
    linear(`${prefix}.mlp.down_proj`, hiddenSize, intermediateSize, config.mlpBias);
  }
  tensors.set('model.norm.weight', [hiddenSize]);
  if (!config.tieWordEmbeddings) tensors.set('lm_head.weight', [vocabSize, hiddenSize]);
  return tensors;
}
