import { describe, expect, test } from 'vitest';
import { goldenCase, goldenRunner, valuesOf, zeroGradients } from '../train/golden-case.ts';

describe('what is recomputed changes no bit of losses and gradients', () => {
  // Without dropout adapters are merged into their layers.
  test.each([
    ['lorafa-all-linear', 0.3],
    ['lorafa-all-linear', 0],
    ['lorafa-selected-layers', 0.3],
    ['lora-linear', 0.3],
    ['lora-linear', 0],
    ['full-tied', 0],
  ])('%s, dropout %d', async (name, dropout) => {
    const reference = await goldenCase(name);
    const batch = reference.steps[0]![0]!;
    const outcomes = await Promise.all(
      (['none', 'attention', 'layer'] as const).map(async (recompute) => {
        const { trainee, runner } = await goldenRunner(reference, { dropout, recompute });
        const gradients = zeroGradients(trainee);
        const loss = await runner.run(batch, 1 / batch.numSupervisedTokens, 5, gradients);
        await runner.release();
        return { loss, gradients: valuesOf(gradients) };
      }),
    );
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect(outcomes[2]).toEqual(outcomes[0]);
  });
});
