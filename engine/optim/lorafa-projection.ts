import { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import { type LoraModule, loraAName } from '../lora/lora-module.ts';
import { Session, type SessionOptions } from '../runtime/session.ts';
import { invertPositiveDefinite } from './inverse.ts';

/** Added to the diagonal of A Aᵀ (PEFT `optimizers/lorafa.py`). */
const DELTA = 1e-8;

/** Names the matrix `[r, r]` that a module's gradient is multiplied by. */
export function projectionName(module: string): string {
  return `projection.${module}`;
}

/**
 * `pinv(A Aᵀ + δI) / scaling²` of every module: a gradient of B times this is the step whose
 * low-rank update is closest to the full gradient's (arXiv 2308.03303). The reference computes it
 * at every step; A is frozen, so here it is made once, in float64. With δ the matrix is positive
 * definite and its pseudo-inverse is its inverse.
 *
 * @param weights A `[r, in]` of every module under its PEFT name
 * @returns float32 `[r, r]` by {@link projectionName}
 */
export async function lorafaProjections(
  modules: readonly LoraModule[],
  weights: ReadonlyMap<string, Float32Array>,
  options: SessionOptions = {},
): Promise<Map<string, Float32Array>> {
  const builder = new GraphBuilder();
  const products: Record<string, Value> = {};
  for (const { name, r, inFeatures } of modules) {
    const a = builder.cast(builder.input(loraAName(name), 'float32', [r, inFeatures]), 'float64');
    products[name] = builder.gemm(a, a, { transB: true });
  }
  const session = await Session.create(builder.finish(products), options);
  const feeds = Object.fromEntries(
    modules.map(({ name }) => [loraAName(name), weights.get(loraAName(name))!]),
  );
  const squares = await session.run(feeds);
  await session.release();
  return new Map(
    modules.map(({ name, r, scaling }) => {
      const square = Float64Array.from(squares[name]!.data as Float64Array);
      for (let i = 0; i < r; i++) square[i * r + i] = square[i * r + i]! + DELTA;
      const inverse = invertPositiveDefinite(square, r);
      return [projectionName(name), Float32Array.from(inverse, (x) => x / scaling ** 2)];
    }),
  );
}
