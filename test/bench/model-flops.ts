import type { DecoderConfig } from '../../engine/architectures/decoder-config.ts';
import { linearModules } from '../../engine/architectures/linear-modules.ts';
import type { LoraModule } from '../../engine/lora/lora-module.ts';

/** Sizes of one training step. */
export interface StepSize {
  readonly rows: number;
  readonly length: number;
}

/**
 * Floating-point operations that the matrix products of a LoRA-FA step need: nothing is computed
 * twice, attention is causal, and no gradient is taken that nobody wants. Every mode and every
 * program is measured against this same number, so a mode that recomputes shows a lower fraction.
 */
export function modelFlops(
  config: DecoderConfig,
  adapted: readonly LoraModule[],
  { rows, length }: StepSize,
): number {
  const tokens = rows * length;
  // Forward, and the gradient of the input.
  const linear = linearModules(config).reduce(
    (sum, { inFeatures, outFeatures }) => sum + 2 * 2 * inFeatures * outFeatures,
    0,
  );
  // Forward and the gradient of the input through both matrices, and the gradient of B.
  const adapters = adapted.reduce(
    (sum, { r, inFeatures, outFeatures }) =>
      sum + 2 * 2 * r * (inFeatures + outFeatures) + 2 * r * outFeatures,
    0,
  );
  const head = 2 * 2 * config.vocabSize * config.hiddenSize;
  // Scores and their sum of values, and two gradients of each; half of the square is masked.
  const attention = config.layers.reduce(
    (sum, { attention: { numHeads, headDim } }) =>
      sum + (6 * 2 * numHeads * headDim * (length + 1)) / 2,
    0,
  );
  return tokens * (linear + adapters + head + attention);
}
