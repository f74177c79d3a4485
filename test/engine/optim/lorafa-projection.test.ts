import { describe, expect, test } from 'vitest';
import { LorafaError } from '../../../engine/errors.ts';
import { type LoraModule, loraAName } from '../../../engine/lora/lora-module.ts';
import { invertPositiveDefinite } from '../../../engine/optim/inverse.ts';
import { lorafaProjections, projectionName } from '../../../engine/optim/lorafa-projection.ts';
import { goldenJson, relativeError } from '../../support/golden.ts';

interface GoldenInverse {
  readonly name: string;
  readonly condition: number;
  readonly a: readonly (readonly number[])[];
  readonly pinv: readonly (readonly number[])[];
}

function moduleFor({ name, a }: GoldenInverse, scaling: number): LoraModule {
  const [r, inFeatures] = [a.length, a[0]!.length];
  return {
    name,
    r,
    inFeatures,
    outFeatures: 8,
    fanInFanOut: false,
    loraAlpha: scaling * r,
    scaling,
  };
}

async function project(golden: GoldenInverse, scaling: number): Promise<Float32Array> {
  const weights = new Map([[loraAName(golden.name), Float32Array.from(golden.a.flat())]]);
  const projections = await lorafaProjections([moduleFor(golden, scaling)], weights, {
    threads: 1,
  });
  return projections.get(projectionName(golden.name))!;
}

describe('the projection is pinv(A Aᵀ + 1e-8 I) / s² in float64', () => {
  test.each(goldenJson<GoldenInverse[]>('pinv.json'))(
    '$name (condition $condition)',
    async (golden) => {
      // Rounding of A Aᵀ is magnified by the condition, in the reference as here.
      const tolerance = Math.max(1e-6, golden.condition * 1e-15 * 10);
      expect(relativeError(await project(golden, 1), golden.pinv.flat())).toBeLessThan(tolerance);
    },
  );

  test('divided by the square of the scaling', async () => {
    const golden = goldenJson<GoldenInverse[]>('pinv.json')[0]!;
    const expected = golden.pinv.flat().map((x) => x / 4);
    expect(relativeError(await project(golden, 2), expected)).toBeLessThan(1e-6);
  });

  test('each module gets its own', async () => {
    const goldens = goldenJson<GoldenInverse[]>('pinv.json');
    const weights = new Map(
      goldens.map(({ name, a }) => [loraAName(name), Float32Array.from(a.flat())]),
    );
    const modules = goldens.map((golden) => moduleFor(golden, 1));
    const projections = await lorafaProjections(modules, weights, { threads: 1 });
    expect([...projections.keys()]).toEqual(goldens.map(({ name }) => projectionName(name)));
    for (const golden of goldens) {
      expect(projections.get(projectionName(golden.name))).toEqual(await project(golden, 1));
    }
  });
});

describe('the inverse of a positive definite matrix', () => {
  test('times the matrix is the identity', () => {
    const n = 5;
    const x = Float64Array.from({ length: n * n }, (_, i) => Math.sin(3 * i + 1));
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        for (let k = 0; k < n; k++) matrix[i * n + j]! += x[i * n + k]! * x[j * n + k]!;
      }
      matrix[i * n + i]! += 0.1;
    }
    const inverse = invertPositiveDefinite(matrix, n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += matrix[i * n + k]! * inverse[k * n + j]!;
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 10);
      }
    }
  });

  test.each([
    ['NaN', [Number.NaN]],
    ['a negative pivot', [1, 2, 2, 1]],
    ['zero', [0]],
  ])('refuses %s', (_, matrix) => {
    const invert = () =>
      invertPositiveDefinite(Float64Array.from(matrix), Math.sqrt(matrix.length));
    expect(invert).toThrow(LorafaError);
    expect(invert).toThrow('A matrix of an adapter');
  });
});
