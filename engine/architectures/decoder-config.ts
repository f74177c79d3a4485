import type { SpecialTokenIds } from '../tokenizer/special-token-ids.ts';

/** A linear layer: `y = x Wᵀ + b`. */
export interface LinearPart {
  readonly kind: 'linear';
  /** `model.layers.0.self_attn.q_proj` */
  readonly name: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
  /** Whether its matrix is stored `[in, out]` (transformers' `Conv1D`), not `[out, in]`; PEFT's word. */
  readonly fanInFanOut: boolean;
}

/** A norm over the last axis. */
export interface NormPart {
  /** RMSNorm (arXiv 1910.07467) or LayerNorm (arXiv 1607.06450) */
  readonly kind: 'rms' | 'layer';
  readonly name: string;
  readonly size: number;
  readonly epsilon: number;
  readonly bias: boolean;
  /** What is added to the stored weight: Gemma stores how far it is from 1. */
  readonly offset: 0 | 1;
}

/** A table with a row for every token, position or expert. */
export interface EmbeddingPart {
  readonly kind: 'embedding';
  readonly name: string;
  readonly rows: number;
  readonly width: number;
}

/** What a decoder is declared from. */
export type Part = LinearPart | NormPart | EmbeddingPart;

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

/** Dynamic NTK: the longer a text is beyond the old length, the larger the base, for all of it. */
export interface DynamicRopeScaling {
  readonly type: 'dynamic';
  readonly factor: number;
  readonly originalMaxPositionEmbeddings: number;
}

/** YaRN (arXiv 2309.00071): interpolation of the slow features alone, and sharper attention. */
export interface YarnRopeScaling {
  readonly type: 'yarn';
  readonly factor: number;
  readonly betaFast: number;
  readonly betaSlow: number;
  readonly originalMaxPositionEmbeddings: number;
  /** Whether the limits between slow and fast features are rounded to whole features. */
  readonly truncate: boolean;
  /** What cosines and sines are multiplied by. */
  readonly attentionFactor: number;
}

/** LongRoPE (arXiv 2402.13753): a divisor for every feature, others for texts beyond the old length. */
export interface LongRopeScaling {
  readonly type: 'longrope';
  readonly shortFactors: readonly number[];
  readonly longFactors: readonly number[];
  readonly originalMaxPositionEmbeddings: number;
  /** What cosines and sines are multiplied by. */
  readonly attentionFactor: number;
}

export type RopeScaling =
  | Llama3RopeScaling
  | LinearRopeScaling
  | DynamicRopeScaling
  | YarnRopeScaling
  | LongRopeScaling;

/** Llama 4's sharper attention in long texts: scores times `1 + beta · ln(1 + ⌊position / every⌋)`. */
export interface GrowingQueries {
  readonly beta: number;
  /** Positions after which the factor grows. */
  readonly every: number;
}

/** A rotary position embedding (arXiv 2104.09864). Layers with the same one share the object. */
export interface Rotary {
  /** Features of each head that are turned, the first ones; even. */
  readonly dims: number;
  readonly theta: number;
  readonly scaling: RopeScaling | null;
  /** Whether neighbouring features are turned against each other, not those half a head apart. */
  readonly interleaved: boolean;
  /** null where queries are turned alone */
  readonly growingQueries: GrowingQueries | null;
}

/** Queries, keys and values from three layers, or from one whose output lies side by side. */
export type Projections =
  | { readonly query: LinearPart; readonly key: LinearPart; readonly value: LinearPart }
  | {
      readonly fused: LinearPart;
      /** All queries, all keys, all values; or those of one head next to each other. */
      readonly order: 'by-kind' | 'by-head';
    };

/** Self-attention of one layer. */
export interface AttentionPart {
  readonly name: string;
  readonly numHeads: number;
  /** Divides `numHeads`. */
  readonly numKeyValueHeads: number;
  /** Even; not always `hiddenSize / numHeads`. */
  readonly headDim: number;
  readonly projections: Projections;
  readonly output: LinearPart;
  /** Before the rotary embedding; over each head, or over all of them where it is as wide. */
  readonly queryNorm: NormPart | null;
  readonly keyNorm: NormPart | null;
  /** null: this layer does not know positions. */
  readonly rotary: Rotary | null;
  /** A token sees itself and the `slidingWindow - 1` tokens before it; null means all before it. */
  readonly slidingWindow: number | null;
  /** What scores are multiplied by: mostly `1 / sqrt(headDim)`. */
  readonly scale: number;
  /** Scores become `cap · tanh(score / cap)`. */
  readonly softCap: number | null;
}

/** Named as in transformers' `ACT2FN`; `gelu_tanh` is `gelu_pytorch_tanh` and `gelu_new`. */
export type Activation = 'silu' | 'gelu' | 'gelu_tanh';

/** The feed-forward part of one layer. */
export type MlpPart = {
  readonly name: string;
  readonly activation: Activation;
  readonly down: LinearPart;
} & (
  | { readonly kind: 'gated'; readonly gate: LinearPart; readonly up: LinearPart }
  /** One layer makes the gate and, after it, what is gated. */
  | { readonly kind: 'fused-gated'; readonly gateUp: LinearPart }
  | { readonly kind: 'plain'; readonly up: LinearPart }
);

/** A mixture of experts: every token goes through the few MLPs that its router finds likeliest. */
export interface ExpertsPart {
  readonly kind: 'experts';
  readonly name: string;
  /** Its products with a token are the logits of the experts; frozen beside adapters. */
  readonly router: EmbeddingPart;
  /** Without biases. */
  readonly experts: readonly MlpPart[];
  readonly expertsPerToken: number;
  /** Whether the probabilities of those that are taken are made to sum to 1. */
  readonly normalized: boolean;
}

/** What a layer sees, as `layer_types` names it. */
export type LayerType = 'full_attention' | 'sliding_attention';

/** One decoder layer. */
export interface LayerPart {
  readonly name: string;
  readonly attention: AttentionPart;
  readonly mlp: MlpPart | ExpertsPart;
  /** Norms of what goes into attention and MLP, and of what comes out of them. */
  readonly norms: {
    readonly beforeAttention: NormPart | null;
    readonly afterAttention: NormPart | null;
    /** null in a parallel layer: the same that goes into attention */
    readonly beforeMlp: NormPart | null;
    readonly afterMlp: NormPart | null;
  };
  /** Attention and MLP read the same hidden states, and both are added to them. */
  readonly parallel: boolean;
  /** What attention and MLP are multiplied by before they are added. */
  readonly residualScale: number;
}

/** What turns the last hidden states into logits. */
export interface HeadPart {
  /** The embedding of the tokens itself where the two are tied. */
  readonly embedding: EmbeddingPart;
  /** What logits are multiplied by. */
  readonly scale: number;
  /** Logits become `cap · tanh(logit / cap)`. */
  readonly softCap: number | null;
}

/** The parts of a decoder, as its family declares them. */
export interface DecoderParts {
  readonly hiddenSize: number;
  readonly embedding: EmbeddingPart;
  /** What the embedding of a token is multiplied by. */
  readonly embeddingScale: number;
  /** Positions that were learned, added to the embeddings of tokens; null where there are none. */
  readonly positionEmbedding: EmbeddingPart | null;
  /** Name that the layers have before their number. */
  readonly layersName: string;
  readonly layers: readonly LayerPart[];
  readonly norm: NormPart;
  /** Module name of the output layer, which has no tensors where it is tied to the embedding. */
  readonly outputName: string;
  readonly head: HeadPart;
}

/** Beginnings of names of tensors and what takes their place: `h.` and `transformer.h.`. */
export type StoredNames = readonly (readonly [stored: string, meant: string])[];

/**
 * A decoder as its `config.json` describes it: all that its graph, its tensors, its adapters and its
 * memory follow from, whatever family and file format it is of.
 */
export interface DecoderConfig extends SpecialTokenIds, DecoderParts {
  /** `model_type` of its family */
  readonly family: string;
  /** What files call tensors otherwise than their modules are called. */
  readonly storedNames: StoredNames;
  /** Whether it is the text part of a model that has others. */
  readonly isPart: boolean;
  readonly vocabSize: number;
  /** The longest text that it reads; with dynamic scaling longer than its `config.json` says. */
  readonly maxPositionEmbeddings: number;
}
