import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { Linear } from '../models/decoder.ts';
import { type LoraModule, loraAName, loraBName } from './lora-module.ts';

/** Drops features of an adapter's input: `(x [tokens, in], number of the module) → x`. */
export type Dropout = (x: Value, moduleIndex: number) => Value;

/** What adapted linear layers are made of. */
export interface LoraLinearOptions {
  readonly builder: GraphBuilder;
  /** The layers without adapters. */
  readonly base: Linear;
  /** The adapted layers; A and B become float32 inputs of the graph under PEFT's names. */
  readonly modules: readonly LoraModule[];
  readonly dropout?: Dropout | undefined;
}

/**
 * Linear layers with an adapter `+ scaling · (dropout(x) Aᵀ) Bᵀ` where there is one. Only the
 * r-wide product with A is kept for B's gradient.
 */
export function loraLinear({ builder, base, modules, dropout }: LoraLinearOptions): Linear {
  const adapters = new Map(
    modules.map((module, index) => [
      module.name,
      {
        index,
        scaling: module.scaling,
        a: builder.input(loraAName(module.name), 'float32', [module.r, module.inFeatures]),
        b: builder.input(loraBName(module.name), 'float32', [module.outFeatures, module.r]),
      },
    ]),
  );
  return (name, x) =>
    builder.withScope(name, () => {
      const y = base(name, x);
      const adapter = adapters.get(name);
      if (adapter === undefined) return y;
      const input = dropout === undefined ? x : dropout(x, adapter.index);
      const down = builder.gemm(input, adapter.a, { transB: true, alpha: adapter.scaling });
      return builder.gemm(down, adapter.b, { transB: true, c: y });
    });
}
