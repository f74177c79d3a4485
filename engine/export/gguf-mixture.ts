import type { DecoderConfig } from '../architectures/decoder-config.ts';
import type { WrittenType } from './gguf-values.ts';

/** What of a model decides which types its tensors have. */
export interface MixedModel {
  readonly layers: number;
  /** 1 where there is no mixture of experts. */
  readonly experts: number;
  /** Whether a layer of its own makes the logits, and not the embedding. */
  readonly hasOutput: boolean;
  /** Whether several heads share keys and values. */
  readonly isGrouped: boolean;
}

/** @param hasOutput see {@link MixedModel} */
export function mixedModel({ layers }: DecoderConfig, hasOutput: boolean): MixedModel {
  const { attention, mlp } = layers[0]!;
  return {
    layers: layers.length,
    experts: mlp.kind === 'experts' ? mlp.experts.length : 1,
    hasOutput,
    isGrouped: attention.numKeyValueHeads < attention.numHeads,
  };
}

/**
 * The type of a matrix in Q4_K_M, as llama.cpp chooses it (`llama_tensor_get_type` in llama-quant.cpp, without an
 * importance matrix): Q4_K, and more bits for what a model is most sensitive to. Rows must still fit, see
 * `typeOf`.
 *
 * @param name of the tensor in the file
 */
export function q4kmType(name: string, model: MixedModel): WrittenType {
  const { layers, experts, hasOutput } = model;
  if (name === (hasOutput ? 'output.weight' : 'token_embd.weight')) return 'Q6_K';
  const [, layer, part] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
  if (layer === undefined) return 'Q4_K';
  const isImportant = hasMoreBits(Number(layer), layers);
  switch (part) {
    case 'attn_v':
      if (experts === 8) return 'Q8_0';
      if (isImportant) return 'Q6_K';
      return isLarge(model) ? 'Q5_K' : 'Q4_K';
    case 'attn_k':
      return experts === 8 ? 'Q8_0' : 'Q4_K';
    case 'attn_output':
      return experts === 8 ? 'Q5_K' : 'Q4_K';
    case 'attn_qkv':
      return 'Q5_K';
    case 'ffn_down':
    case 'ffn_down_exps':
      return isImportant ? 'Q6_K' : 'Q4_K';
    default:
      return 'Q4_K';
  }
}

/** The first and the last eighth of the layers, and every third between them. */
function hasMoreBits(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

/** What llama.cpp takes for a model of 70 billion weights, whose values are few. */
function isLarge({ layers, isGrouped }: MixedModel): boolean {
  return layers === 80 && isGrouped;
}
