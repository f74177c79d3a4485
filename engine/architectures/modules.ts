import type {
  DecoderConfig,
  ExpertsPart,
  LayerPart,
  LinearPart,
  MlpPart,
  Part,
} from './decoder-config.ts';

/** A part of a decoder and what llama.cpp calls it, without `.weight` or `.bias`. */
export interface DecoderModule {
  readonly part: Part;
  /** `blk.0.attn_q`; parts of one name are stacked in one tensor, in their order */
  readonly gguf: string;
  /** null outside of the layers */
  readonly layer: number | null;
  /** Whether it is part of an expert, so that only a run shows how many rows it is given. */
  readonly inExpert: boolean;
}

const OUTSIDE = { layer: null, inExpert: false };

/**
 * All parts of a decoder that have weights, in the order of the forward pass. The names in GGUF
 * files follow from the place of a part (the `gguf` package's `constants.py`), whatever family has it.
 */
export function decoderModules(config: DecoderConfig): DecoderModule[] {
  const { embedding, positionEmbedding, layers, norm, head } = config;
  return [
    { part: embedding, gguf: 'token_embd', ...OUTSIDE },
    ...(positionEmbedding === null
      ? []
      : [{ part: positionEmbedding, gguf: 'position_embd', ...OUTSIDE }]),
    ...layers.flatMap((layer, index) => {
      const ofExperts = new Set<Part>(
        layer.mlp.kind === 'experts' ? layer.mlp.experts.flatMap(mlpParts) : [],
      );
      return layerModules(layer).map(([name, part]) => ({
        part,
        gguf: `blk.${index}.${name}`,
        layer: index,
        inExpert: ofExperts.has(part),
      }));
    }),
    { part: norm, gguf: 'output_norm', ...OUTSIDE },
    ...(isTied(config) ? [] : [{ part: head.embedding, gguf: 'output', ...OUTSIDE }]),
  ];
}

/** Whether the output layer is the embedding of the tokens. */
export function isTied({ embedding, head }: DecoderConfig): boolean {
  return head.embedding.name === embedding.name;
}

function layerModules({ attention, mlp, norms }: LayerPart): [string, Part][] {
  const { projections } = attention;
  const modules: [string, Part | null][] = [
    ['attn_norm', norms.beforeAttention],
    ...('fused' in projections
      ? ([['attn_qkv', projections.fused]] satisfies [string, Part][])
      : ([
          ['attn_q', projections.query],
          ['attn_k', projections.key],
          ['attn_v', projections.value],
        ] satisfies [string, Part][])),
    ['attn_q_norm', attention.queryNorm],
    ['attn_k_norm', attention.keyNorm],
    ['attn_output', attention.output],
    ['post_attention_norm', norms.afterAttention],
    ['ffn_norm', norms.beforeMlp],
    ...(mlp.kind === 'experts' ? expertModules(mlp) : mlpModules(mlp)),
    ['post_ffw_norm', norms.afterMlp],
  ];
  return modules.filter((module): module is [string, Part] => module[1] !== null);
}

function expertModules({ router, experts }: ExpertsPart): [string, Part][] {
  const stacked = experts.flatMap((expert) =>
    mlpModules(expert).map(([name, part]): [string, Part] => [`${name}_exps`, part]),
  );
  return [['ffn_gate_inp', router], ...stacked];
}

/** The linear layers of an MLP, the one that leads back to the hidden states last. */
export function mlpParts(mlp: MlpPart): LinearPart[] {
  return mlpModules(mlp).map(([, part]) => part);
}

function mlpModules(mlp: MlpPart): [string, LinearPart][] {
  switch (mlp.kind) {
    case 'gated':
      return [
        ['ffn_gate', mlp.gate],
        ['ffn_up', mlp.up],
        ['ffn_down', mlp.down],
      ];
    case 'fused-gated':
      return [
        ['ffn_up', mlp.gateUp],
        ['ffn_down', mlp.down],
      ];
    case 'plain':
      return [
        ['ffn_up', mlp.up],
        ['ffn_down', mlp.down],
      ];
  }
}
