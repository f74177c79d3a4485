import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { DecoderConfig } from './decoder-config.ts';
import type { Parameters } from './parameters.ts';
import { type RotaryAngles, rotaryAngles } from './rotary-embedding.ts';

/** Queries, keys and values of one layer, with positions rotated in. */
export interface AttentionInputs {
  readonly layer: number;
  /** `[tokens, numHeads, headDim]`, already divided by `sqrt(headDim)` */
  readonly query: Value;
  /** `[tokens, numKeyValueHeads, headDim]` */
  readonly key: Value;
  /** `[tokens, numKeyValueHeads, headDim]` */
  readonly value: Value;
}

/** How tokens see each other: over whole rows in training, over a cache in generation. */
export type Attention = (inputs: AttentionInputs) => Value;

/** A linear layer by its module name: `[tokens, in] → [tokens, out]`, adapter included. */
export type Linear = (module: string, x: Value) => Value;

/** What a decoder is built from. */
export interface DecoderParts {
  readonly builder: GraphBuilder;
  readonly config: DecoderConfig;
  readonly parameters: Parameters;
  readonly linear: Linear;
  readonly attention: Attention;
  /** What the backward pass computes again instead of keeping it; nothing unless given. */
  readonly recompute?: Recompute;
}

/**
 * How much is computed again for the backward pass: nothing; what is cheap to make (attention
 * probabilities, norms, activations), which keeps every matrix product of a layer's inputs and
 * weights; or everything between the inputs of two layers.
 */
export type Recompute = 'none' | 'attention' | 'layer';

/**
 * The hidden states of a Llama-style decoder after its final norm: Llama, Mistral, Qwen2 and Qwen3
 * differ only in what `DecoderConfig` says (transformers `modeling_llama.py` and its siblings).
 * Values are named after the modules of the Hugging Face model.
 *
 * @param tokenIds int64 `[tokens]`
 * @param positions int64 `[tokens]`
 * @returns float32 `[tokens, hiddenSize]`
 */
export function decoderHiddenStates(parts: DecoderParts, tokenIds: Value, positions: Value): Value {
  const { builder, config, parameters } = parts;
  const embeddings = parameters.stored('model.embed_tokens.weight');
  let hidden = builder.scope('model.embed_tokens', () =>
    builder.cast(builder.gather(embeddings, tokenIds), 'float32'),
  );
  const angles = builder.scope('model.rotary_emb', () => rotaryAngles(builder, config, positions));
  for (let layer = 0; layer < config.numLayers; layer++) {
    const module = `model.layers.${layer}`;
    const decoderLayer = (): Value => {
      const normed = rmsNorm(parts, `${module}.input_layernorm`, hidden);
      const attended = builder.add(hidden, selfAttention(parts, layer, normed, angles));
      const mlpInput = rmsNorm(parts, `${module}.post_attention_layernorm`, attended);
      return builder.add(attended, mlp(parts, `${module}.mlp`, mlpInput));
    };
    hidden = builder.scope(module, () =>
      parts.recompute === 'layer' ? builder.recomputed(decoderLayer) : decoderLayer(),
    );
  }
  return rmsNorm(parts, 'model.norm', hidden);
}

/** The tensor that turns hidden states into logits, `[vocabSize, hiddenSize]`. */
export function outputEmbeddingName(config: DecoderConfig): string {
  return config.tieWordEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
}

/** A part that is cheap to make: computed again unless everything is kept. */
function cheap({ builder, recompute = 'none' }: DecoderParts, build: () => Value): Value {
  return recompute === 'none' ? build() : builder.recomputed(build);
}

/** A norm by its module name, over the last axis. */
function rmsNorm(parts: DecoderParts, module: string, x: Value): Value {
  const { builder, config, parameters } = parts;
  const normed = (): Value => {
    const weight = builder.cast(parameters.stored(`${module}.weight`), 'float32');
    return builder.rmsNorm(x, weight, config.rmsNormEps);
  };
  return builder.withScope(module, () => cheap(parts, normed));
}

function selfAttention(parts: DecoderParts, layer: number, x: Value, angles: RotaryAngles): Value {
  const { builder, config, linear, attention } = parts;
  const { numHeads, numKeyValueHeads, headDim } = config;
  const tokens = x.shape[0]!;
  const module = `model.layers.${layer}.self_attn`;
  const heads = (projection: 'q_proj' | 'k_proj' | 'v_proj', count: number): Value =>
    builder.reshape(linear(`${module}.${projection}`, x), [tokens, count, headDim]);
  return builder.withScope(module, () => {
    let query = heads('q_proj', numHeads);
    let key = heads('k_proj', numKeyValueHeads);
    const value = heads('v_proj', numKeyValueHeads);
    if (config.qkNorm) {
      query = rmsNorm(parts, `${module}.q_norm`, query);
      key = rmsNorm(parts, `${module}.k_norm`, key);
    }
    query = builder.rotary(query, angles.query.cos, angles.query.sin);
    key = builder.rotary(key, angles.key.cos, angles.key.sin);
    const attended = cheap(parts, () => attention({ layer, query, key, value }));
    return linear(`${module}.o_proj`, attended);
  });
}

/** `down(silu(gate(x)) · up(x))` (SwiGLU, arXiv 2002.05202). */
function mlp(parts: DecoderParts, module: string, x: Value): Value {
  const { builder, linear } = parts;
  return builder.withScope(module, () => {
    const gate = linear(`${module}.gate_proj`, x);
    const up = linear(`${module}.up_proj`, x);
    const gated = cheap(parts, () => builder.mul(builder.silu(gate), up));
    return linear(`${module}.down_proj`, gated);
  });
}
