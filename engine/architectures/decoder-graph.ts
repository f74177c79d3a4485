import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { Activation, AttentionPart, DecoderConfig, NormPart } from './decoder-config.ts';
import { applyNorm } from './norm.ts';
import type { Parameters } from './parameters.ts';

/** Queries, keys and values of one layer, with positions turned in. */
export interface AttentionInputs {
  readonly layer: number;
  readonly part: AttentionPart;
  /** `[tokens, numHeads, headDim]`, already multiplied by the scale of the scores */
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

/** float32 rows of a table `[n, width]` by number: `[i] → [i, width]`. */
export type Embed = (table: string, indices: Value, width: number) => Value;

/** `activation(gate) ∘ up`, of values of one shape. */
export type Gate = (activation: Activation, gate: Value, up: Value) => Value;

/**
 * How much is computed again for the backward pass: nothing; what is cheap to make (attention
 * probabilities, norms, activations), which keeps every matrix product of a layer's inputs and
 * weights; or everything between the inputs of two layers.
 */
export type Recompute = 'none' | 'attention' | 'layer';

/** What the graph of a decoder is built from. */
export interface DecoderGraph {
  readonly builder: GraphBuilder;
  readonly config: DecoderConfig;
  readonly parameters: Parameters;
  readonly linear: Linear;
  readonly attention: Attention;
  /** From tables that are stored as numbers unless given. */
  readonly embed?: Embed | undefined;
  /** By ONNX's ops unless given. */
  readonly gate?: Gate | undefined;
  /** int64 `[]`: tokens that the text has, if not those that are read at once. */
  readonly textLength?: Value | undefined;
  /** What the backward pass computes again instead of keeping it; nothing unless given. */
  readonly recompute?: Recompute;
}

/** A part that is cheap to make: computed again unless everything is kept. */
export function cheap({ builder, recompute = 'none' }: DecoderGraph, build: () => Value): Value {
  return recompute === 'none' ? build() : builder.recomputed(build);
}

/** A norm in its own scope; x itself where there is none. */
export function norm(graph: DecoderGraph, part: NormPart | null, x: Value): Value {
  if (part === null) return x;
  const { builder, parameters } = graph;
  return builder.withScope(part.name, () =>
    cheap(graph, () => applyNorm(builder, parameters, part, x)),
  );
}
