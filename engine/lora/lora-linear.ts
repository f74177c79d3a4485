import type { Linear } from '../architectures/decoder-graph.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { BaseLayers } from '../weights/base-linear.ts';
import { type LoraModule, loraAName, loraBName } from './lora-module.ts';
import { type AdaptedLayer, mergedProduct, mergePays } from './merged-linear.ts';

/** Drops features of an adapter's input: `(x [tokens, in], number of the module) → x`. */
export type Dropout = (x: Value, moduleIndex: number) => Value;

/** What adapted linear layers are made of. */
export interface LoraLinearOptions {
  readonly builder: GraphBuilder;
  /** The layers without adapters. */
  readonly base: Pick<BaseLayers, 'linear' | 'dense'>;
  /** The adapted layers; A and B become float32 inputs of the graph under PEFT's names. */
  readonly modules: readonly LoraModule[];
  readonly dropout?: Dropout | undefined;
  /**
   * Tokens of a run, so many that adapters are merged where that pays; never unless given, and never
   * for an expert, which has few of them.
   */
  readonly mergeForTokens?: number | undefined;
}

/**
 * Linear layers with an adapter `+ scaling · (dropout(x) Aᵀ) Bᵀ` where there is one. Only the
 * r-wide product with A is kept for B's gradient.
 */
export function loraLinear(options: LoraLinearOptions): Linear {
  const { builder, base, modules, dropout, mergeForTokens = 0 } = options;
  const adapters = new Map(
    modules.map((module, index): [string, AdaptedLayer & { readonly index: number }] => [
      module.name,
      {
        index,
        module,
        a: builder.input(loraAName(module.name), 'float32', [module.r, module.inFeatures]),
        b: builder.input(loraBName(module.name), 'float32', [module.outFeatures, module.r]),
      },
    ]),
  );
  return (name, x) =>
    builder.withScope(name, () => {
      const adapter = adapters.get(name);
      if (adapter === undefined) return base.linear(name, x);
      const { module, a, b, index } = adapter;
      const tokens = typeof x.shape[0] === 'number' ? mergeForTokens : 0;
      if (dropout === undefined && mergePays(module, tokens)) {
        const layer = base.dense(name);
        if (layer !== undefined) return mergedProduct(builder, x, layer, adapter);
      }
      const y = base.linear(name, x);
      const input = dropout === undefined ? x : dropout(x, index);
      const down = builder.gemm(input, a, { transB: true, alpha: module.scaling });
      return builder.gemm(down, b, { transB: true, c: y });
    });
}
