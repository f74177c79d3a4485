import type { LoraConfig } from './lora-config.ts';
import { type LoraModule, loraAName, loraBName } from './lora-module.ts';

/** Values of an adapter's tensors, row-major, by the names that `loraAName` and `loraBName` give. */
export type AdapterWeights = ReadonlyMap<string, Float32Array>;

/** A LoRA adapter in memory. */
export interface Adapter {
  readonly config: LoraConfig;
  /** The adapted layers, in the order of the forward pass. */
  readonly modules: readonly LoraModule[];
  /** A and B of every module. */
  readonly weights: AdapterWeights;
}

/** One tensor of an adapter. */
export interface AdapterTensor {
  readonly name: string;
  readonly shape: readonly [number, number];
}

/** The two tensors of a module: A `[r, in]` and B `[out, r]`. */
export function adapterTensors({
  name,
  r,
  inFeatures,
  outFeatures,
}: LoraModule): readonly [AdapterTensor, AdapterTensor] {
  return [
    { name: loraAName(name), shape: [r, inFeatures] },
    { name: loraBName(name), shape: [outFeatures, r] },
  ];
}

/** The tensors of a module that a method trains: with LoRA-FA, A stays as it is. */
export function trainedTensors(
  module: LoraModule,
  method: 'lorafa' | 'lora',
): readonly AdapterTensor[] {
  const [a, b] = adapterTensors(module);
  return method === 'lorafa' ? [b] : [a, b];
}

/** Names of the files of an adapter folder, as PEFT gives them. */
export const ADAPTER_CONFIG_FILE = 'adapter_config.json';
export const ADAPTER_WEIGHTS_FILE = 'adapter_model.safetensors';

/** Those that make an adapter. Beside them may lie the chat template that it was trained with. */
export const ADAPTER_FILES = [ADAPTER_WEIGHTS_FILE, ADAPTER_CONFIG_FILE] as const;

/** What its maker says of an adapter, as the Hub shows it. */
export const CARD_FILE = 'README.md';

/** The picture that a card of ours shows, where there is anything to be drawn. */
export const CURVE_FILE = 'loss-curve.svg';
