import type { DecoderConfig } from './decoder-config.ts';

/** A linear layer inside a decoder layer. */
export interface LinearModule {
  /** `model.layers.0.self_attn.q_proj` */
  readonly name: string;
  readonly layer: number;
  readonly inFeatures: number;
  readonly outFeatures: number;
}

/** All linear layers of a decoder in the order of the forward pass, the output layer excluded. */
export function linearModules(config: DecoderConfig): LinearModule[] {
  const { hiddenSize, intermediateSize, headDim } = config;
  const queryWidth = config.numHeads * headDim;
  const keyValueWidth = config.numKeyValueHeads * headDim;
  const sizes = [
    ['self_attn.q_proj', hiddenSize, queryWidth],
    ['self_attn.k_proj', hiddenSize, keyValueWidth],
    ['self_attn.v_proj', hiddenSize, keyValueWidth],
    ['self_attn.o_proj', queryWidth, hiddenSize],
    ['mlp.gate_proj', hiddenSize, intermediateSize],
    ['mlp.up_proj', hiddenSize, intermediateSize],
    ['mlp.down_proj', intermediateSize, hiddenSize],
  ] as const;
  return Array.from({ length: config.numLayers }, (_, layer) =>
    sizes.map(([name, inFeatures, outFeatures]) => ({
      name: `model.layers.${layer}.${name}`,
      layer,
      inFeatures,
      outFeatures,
    })),
  ).flat();
}

/** Tells whether a linear layer has a bias. */
export function linearBiases(config: DecoderConfig): (module: string) => boolean {
  return (module) => {
    if (module.endsWith('.o_proj')) return config.attentionOutputBias;
    return module.includes('.mlp.') ? config.mlpBias : config.attentionBias;
  };
}
