import { GraphBuilder } from '../graph/builder.ts';
import { CPU, type Device } from './device.ts';
import { Session } from './session.ts';

const SIZE = 1024;
const RUNS = 3;

/** How many times as fast as the CPU a device has to multiply, since launches and copies cost as well. */
const WORTHWHILE = 2;

/**
 * Why a device that works is not worth taking by itself: it has to multiply matrices faster than the CPU. A Vulkan
 * driver that computes on the CPU passes for a GPU, and ONNX Runtime does not tell which it is.
 *
 * @returns a clause for a sentence; undefined where the device is faster
 */
export async function slowness(device: Device): Promise<string | undefined> {
  const seconds = [await bestSeconds(device), await bestSeconds(CPU)] as const;
  const [there, here] = seconds;
  if (there * WORTHWHILE <= here) return undefined;
  const [its, ours] = seconds.map((time) => ((2 * SIZE ** 3) / time / 1e9).toFixed(1));
  return `it multiplies at ${its} GFLOP/s, and the CPU at ${ours}`;
}

/** Of a product of two matrices that are there already. */
async function bestSeconds(device: Device): Promise<number> {
  const b = new GraphBuilder();
  const row = b.input('row', 'float32', [1, SIZE]);
  const square = b.expand(row, [SIZE, SIZE]);
  const product = b.gemm(square, square);
  const session = await Session.create(b.finish({ sum: b.reduceSum(product, [0, 1]) }), { device });
  const feeds = { row: new Float32Array(SIZE).fill(1 / SIZE) };
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now();
    await session.run(feeds);
    best = Math.min(best, (performance.now() - began) / 1000);
  }
  await session.release();
  return best;
}
