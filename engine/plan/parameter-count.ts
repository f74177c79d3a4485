import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { expectedTensors } from '../architectures/expected-tensors.ts';
import { type LoraModule, loraASize, loraBSize } from '../lora/lora-module.ts';

/** How many parameters a run has. */
export interface ParameterCount {
  /** Those that are trained. */
  readonly trainable: number;
  /** All of them: those of the base model and of the adapter. */
  readonly total: number;
}

/**
 * Counts the parameters of a run.
 *
 * @param modules the adapted layers; none for a full fine-tune
 */
export function countParameters(
  decoder: DecoderConfig,
  modules: readonly LoraModule[],
  trainable: readonly { readonly shape: readonly number[] }[],
): ParameterCount {
  const adapter = sum(modules.map((module) => loraASize(module) + loraBSize(module)));
  const base = sum([...expectedTensors(decoder).values()].map(product));
  return { trainable: sum(trainable.map(({ shape }) => product(shape))), total: base + adapter };
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
