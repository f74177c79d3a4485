import type { SpecialTokenIds } from '../tokenizer/special-token-ids.ts';

/** The decoder families whose forward pass is known. */
export type DecoderFamily = 'llama' | 'mistral' | 'qwen2' | 'qwen3';

/** Llama 3.1's frequency-dependent stretching of rotary positions. */
export interface Llama3RopeScaling {
  readonly type: 'llama3';
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  readonly originalMaxPositionEmbeddings: number;
}

/** Position interpolation: every position is divided by `factor`. */
export interface LinearRopeScaling {
  readonly type: 'linear';
  readonly factor: number;
}

export type RopeScaling = Llama3RopeScaling | LinearRopeScaling;

/** What the forward pass of a decoder depends on, the same for every family and file format. */
export interface DecoderConfig extends SpecialTokenIds {
  readonly family: DecoderFamily;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  /** Divides `numHeads`. */
  readonly numKeyValueHeads: number;
  /** Even; not always `hiddenSize / numHeads`. */
  readonly headDim: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling | null;
  readonly maxPositionEmbeddings: number;
  /** The output projection is the embedding matrix; there is no `lm_head.weight`. */
  readonly tieWordEmbeddings: boolean;
  /** Biases of q_proj, k_proj and v_proj. */
  readonly attentionBias: boolean;
  /** Bias of o_proj. */
  readonly attentionOutputBias: boolean;
  /** Biases of gate_proj, up_proj and down_proj. */
  readonly mlpBias: boolean;
  /** RMSNorm over `headDim` of every query and key head, before the rotary embedding. */
  readonly qkNorm: boolean;
  /** A token sees itself and the `slidingWindow - 1` tokens before it; null means all before it. */
  readonly slidingWindow: number | null;
  readonly hiddenAct: 'silu';
}
