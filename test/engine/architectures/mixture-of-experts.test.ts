import { describe, expect, test } from 'vitest';
import { relativeError } from '../../support/golden.ts';
import { accumulated, goldenCase } from '../train/golden-case.ts';

describe('the gradients of experts', () => {
  test.each(['attention', 'layer'] as const)(
    'are the same where %s is computed again',
    async (recompute) => {
      const { steps } = await goldenCase('family-mixtral');
      const expected = await accumulated('family-mixtral', steps[0]!);
      const actual = await accumulated('family-mixtral', steps[0]!, { recompute });
      expect(actual.loss).toBe(expected.loss);
      for (const [name, gradient] of expected.gradients) {
        expect(relativeError(actual.gradients.get(name)!, gradient), name).toBeLessThan(1e-6);
      }
    },
  );

  test('are zeros where no token goes', async () => {
    const { steps } = await goldenCase('lora-experts');
    const { gradients } = await accumulated('lora-experts', steps[0]!);
    const used = (name: string): boolean => gradients.get(name)!.some((x) => x !== 0);
    const ofExperts = [...gradients.keys()].filter((name) => name.includes('.experts.'));
    expect(ofExperts.some(used)).toBe(true);
    expect(ofExperts.every(used)).toBe(false);
  });
});
