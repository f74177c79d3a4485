import { areBlockwiseProductsExact } from '../runtime/blockwise-self-test.ts';
import type { Device } from '../runtime/device.ts';
import type { Nf4Options } from '../weights/nf4-weights.ts';
import type { Quantization } from '../weights/quantization.ts';

/**
 * In what weights are multiplied with to generate: in NF4 where that is asked for; else on a CPU in the blocks
 * of a GGUF file, for a token is as fast as the weights are read.
 */
export async function generationQuantization(
  device: Device,
  nf4: Nf4Options | null,
): Promise<Quantization | undefined> {
  if (nf4 !== null) return { kind: 'nf4', ...nf4 };
  const isFast = device.kind === 'cpu' && (await areBlockwiseProductsExact());
  return isFast ? { kind: 'blockwise' } : undefined;
}
