import type { CommonKeys } from './config-keys.ts';
import type {
  Activation,
  AttentionPart,
  DecoderParts,
  EmbeddingPart,
  ExpertsPart,
  HeadPart,
  LayerPart,
  LinearPart,
  MlpPart,
  NormPart,
} from './decoder-config.ts';

import { LLAMA_NAMES, type ModuleNames } from './module-names.ts';

/** What families declare their layers from. Names are those of transformers' modules. */

export function linear(
  name: string,
  inFeatures: number,
  outFeatures: number,
  bias = false,
): LinearPart {
  return { kind: 'linear', name, inFeatures, outFeatures, bias, fanInFanOut: false };
}

/** A linear layer with a bias and a matrix that is stored `[in, out]` (transformers' `Conv1D`). */
export function conv1d(name: string, inFeatures: number, outFeatures: number): LinearPart {
  return { ...linear(name, inFeatures, outFeatures, true), fanInFanOut: true };
}

export function embedding(name: string, rows: number, width: number): EmbeddingPart {
  return { kind: 'embedding', name, rows, width };
}

export function rmsNorm(name: string, size: number, epsilon: number, offset: 0 | 1 = 0): NormPart {
  return { kind: 'rms', name, size, epsilon, bias: false, offset };
}

export function layerNorm(name: string, size: number, epsilon: number, bias: boolean): NormPart {
  return { kind: 'layer', name, size, epsilon, bias, offset: 0 };
}

/** Widths of a layer's parts. */
export interface LayerSizes {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
}

type AttentionVariation = Partial<Omit<AttentionPart, 'name' | 'projections' | 'output'>> & {
  readonly bias?: boolean;
  readonly outputBias?: boolean;
};

/** Attention with `q_proj`, `k_proj`, `v_proj` and `o_proj`. */
export function attention(
  name: string,
  sizes: LayerSizes,
  { bias = false, outputBias = false, ...variation }: AttentionVariation,
): AttentionPart {
  const { hiddenSize, numHeads, numKeyValueHeads, headDim } = sizes;
  const project = (kind: string, heads: number) =>
    linear(`${name}.${kind}`, hiddenSize, heads * headDim, bias);
  return {
    ...plainAttention(sizes),
    ...variation,
    name,
    projections: {
      query: project('q_proj', numHeads),
      key: project('k_proj', numKeyValueHeads),
      value: project('v_proj', numKeyValueHeads),
    },
    output: linear(`${name}.o_proj`, numHeads * headDim, hiddenSize, outputBias),
  };
}

/** The rest of an attention: grouped heads, scores by the width of a head, all positions in view. */
export function plainAttention({
  numHeads,
  numKeyValueHeads,
  headDim,
}: LayerSizes): Omit<AttentionPart, 'name' | 'projections' | 'output'> {
  return {
    numHeads,
    numKeyValueHeads,
    headDim,
    queryNorm: null,
    keyNorm: null,
    rotary: null,
    slidingWindow: null,
    scale: 1 / Math.sqrt(headDim),
    softCap: null,
  };
}

const FUSED_GATED_NAMES = { gateUp: 'gate_up_proj', down: 'down_proj' };
const GATED_NAMES = { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' };

/** `down(activation(gate(x)) · up(x))` (GLU variants, arXiv 2002.05202). */
export function gatedMlp(
  name: string,
  { hiddenSize, intermediateSize }: LayerSizes,
  activation: Activation,
  { bias = false, names = GATED_NAMES }: { bias?: boolean; names?: typeof GATED_NAMES } = {},
): MlpPart {
  return {
    kind: 'gated',
    name,
    activation,
    gate: linear(`${name}.${names.gate}`, hiddenSize, intermediateSize, bias),
    up: linear(`${name}.${names.up}`, hiddenSize, intermediateSize, bias),
    down: linear(`${name}.${names.down}`, intermediateSize, hiddenSize, bias),
  };
}

/** A mixture of gated MLPs, `intermediateSize` wide each. */
export function gatedExperts(
  name: string,
  sizes: LayerSizes,
  activation: Activation,
  {
    count,
    names = GATED_NAMES,
    ...routing
  }: { readonly count: number; readonly names?: typeof GATED_NAMES } & Pick<
    ExpertsPart,
    'expertsPerToken' | 'normalized'
  >,
): ExpertsPart {
  return {
    kind: 'experts',
    name,
    router: embedding(`${name}.gate`, count, sizes.hiddenSize),
    experts: Array.from({ length: count }, (_, index) =>
      gatedMlp(`${name}.experts.${index}`, sizes, activation, { names }),
    ),
    ...routing,
  };
}

/** The same with gate and up from one layer. */
export function fusedGatedMlp(
  name: string,
  { hiddenSize, intermediateSize }: LayerSizes,
  activation: Activation,
  names = FUSED_GATED_NAMES,
): MlpPart {
  return {
    kind: 'fused-gated',
    name,
    activation,
    gateUp: linear(`${name}.${names.gateUp}`, hiddenSize, 2 * intermediateSize),
    down: linear(`${name}.${names.down}`, intermediateSize, hiddenSize),
  };
}

/** `down(activation(up(x)))`. */
export function plainMlp(
  name: string,
  [up, down]: readonly [string, string],
  { hiddenSize, intermediateSize }: LayerSizes,
  activation: Activation,
  bias: boolean,
): MlpPart {
  return {
    kind: 'plain',
    name,
    activation,
    up: linear(`${name}.${up}`, hiddenSize, intermediateSize, bias),
    down: linear(`${name}.${down}`, intermediateSize, hiddenSize, bias),
  };
}

/** The norms that nearly all families have. */
export function normsBefore(
  layer: string,
  norm: (name: string) => NormPart,
): Partial<LayerPart['norms']> {
  return {
    beforeAttention: norm(`${layer}.input_layernorm`),
    beforeMlp: norm(`${layer}.post_attention_layernorm`),
  };
}

const NO_NORMS: LayerPart['norms'] = {
  beforeAttention: null,
  afterAttention: null,
  beforeMlp: null,
  afterMlp: null,
};

/** What a family says of a decoder. */
interface DecoderDeclaration {
  /** Module names; Llama's unless given. */
  readonly names?: ModuleNames;
  readonly embeddingScale?: number;
  /** A norm over the hidden states, by its name. */
  readonly norm: (name: string) => NormPart;
  /** A layer by its name and number; norms that are left out are none. */
  readonly layer: (
    name: string,
    index: number,
  ) => Pick<LayerPart, 'attention' | 'mlp'> &
    Partial<Pick<LayerPart, 'parallel' | 'residualScale'>> & {
      readonly norms: Partial<LayerPart['norms']>;
    };
  readonly head?: Partial<Pick<HeadPart, 'scale' | 'softCap'>>;
}

/** A decoder: embedding, layers, norm, output layer. */
export function decoder(keys: CommonKeys, declaration: DecoderDeclaration): DecoderParts {
  const { vocab_size: rows, hidden_size: hiddenSize } = keys;
  const { names = LLAMA_NAMES, norm, layer } = declaration;
  const tokens = embedding(names.embedding, rows, hiddenSize);
  const { positions } = names;
  return {
    hiddenSize,
    embedding: tokens,
    embeddingScale: declaration.embeddingScale ?? 1,
    positionEmbedding:
      positions === undefined
        ? null
        : embedding(positions, keys.max_position_embeddings, hiddenSize),
    layersName: names.layers,
    layers: Array.from({ length: keys.num_hidden_layers }, (_, index) => {
      const name = `${names.layers}.${index}`;
      const parts = layer(name, index);
      return {
        parallel: false,
        residualScale: 1,
        ...parts,
        name,
        norms: { ...NO_NORMS, ...parts.norms },
      };
    }),
    norm: norm(names.norm),
    outputName: names.head,
    head: {
      scale: 1,
      softCap: null,
      ...declaration.head,
      embedding: keys.tie_word_embeddings ? tokens : embedding(names.head, rows, hiddenSize),
    },
  };
}
