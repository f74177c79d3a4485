import { describe, expect, test } from 'vitest';
import { initAdapter } from '../../../engine/lora/init-adapter.ts';
import { type LoraModule, loraAName, loraBName } from '../../../engine/lora/lora-module.ts';

function loraModule(name: string, r: number): LoraModule {
  return {
    name,
    inFeatures: 100,
    outFeatures: 60,
    fanInFanOut: false,
    r,
    loraAlpha: 8,
    scaling: 8 / r,
  };
}

const query = loraModule('model.layers.0.self_attn.q_proj', 40);
const value = loraModule('model.layers.0.self_attn.v_proj', 40);

describe('initAdapter', () => {
  test('A is uniform in ±1/√in and B is zero', () => {
    const weights = initAdapter([query], 3);
    const a = weights.get(loraAName(query.name))!;
    expect(a).toHaveLength(40 * 100);
    expect(weights.get(loraBName(query.name))).toEqual(new Float32Array(60 * 40));
    const mean = (values: Float32Array) => values.reduce((sum, x) => sum + x, 0) / values.length;
    expect(Math.max(...a.map(Math.abs))).toBeLessThanOrEqual(0.1);
    expect(Math.max(...a)).toBeGreaterThan(0.099);
    expect(Math.min(...a)).toBeLessThan(-0.099);
    // Standard errors: 0.1/√3/√4000 = 9e-4 of the mean, and 5e-5 of the mean square 0.01/3.
    expect(Math.abs(mean(a))).toBeLessThan(4e-3);
    expect(mean(a.map((x) => x * x))).toBeCloseTo(0.01 / 3, 3);
  });

  test('depends on the seed and the module, not on other modules or the rank', () => {
    const of = (modules: LoraModule[], seed: number, module = query) =>
      initAdapter(modules, seed).get(loraAName(module.name))!;
    const a = of([query], 7);
    expect(of([value, query], 7)).toEqual(a);
    expect(of([loraModule(query.name, 2)], 7)).toEqual(a.slice(0, 200));
    expect(of([query], 8)).not.toEqual(a);
    expect(of([value, query], 7, value)).not.toEqual(a);
  });
});
