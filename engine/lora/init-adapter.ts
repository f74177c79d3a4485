import { createHash } from 'node:crypto';
import { Random } from '../random.ts';
import type { AdapterWeights } from './adapter.ts';
import { type LoraModule, loraAName, loraASize, loraBName, loraBSize } from './lora-module.ts';

/**
 * Weights of a new adapter: A is uniform in ±1/√in (Kaiming uniform with a = √5, as PEFT draws it)
 * and B is zero, so that the adapter changes nothing yet.
 *
 * Element i of a module's A depends on the seed, the module's name and i alone: other targets or
 * another rank leave it as it was.
 */
export function initAdapter(modules: readonly LoraModule[], seed: number): AdapterWeights {
  return new Map(
    modules.flatMap((module): [string, Float32Array][] => [
      [loraAName(module.name), drawA(module, seed)],
      [loraBName(module.name), new Float32Array(loraBSize(module))],
    ]),
  );
}

function drawA(module: LoraModule, seed: number): Float32Array {
  const random = new Random(seed, streamOf(module.name));
  const bound = 1 / Math.sqrt(module.inFeatures);
  return Float32Array.from({ length: loraASize(module) }, () => (2 * random.uniform() - 1) * bound);
}

/** The stream of random numbers that belongs to a module. */
function streamOf(name: string): number {
  return createHash('sha256').update(loraAName(name)).digest().readUInt32LE();
}
