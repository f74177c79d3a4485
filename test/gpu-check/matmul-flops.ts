import { GraphBuilder } from '../../engine/graph/builder.ts';
import type { Value } from '../../engine/graph/value.ts';
import type { Device } from '../../engine/runtime/device.ts';
import { newStateTensor } from '../../engine/runtime/new-state-tensor.ts';
import { Session } from '../../engine/runtime/session.ts';

/** Rows and columns of the matrices: large enough for every core of a device. */
const SIZE = 4096;

/** Products of one run, so that what a run costs besides does not count. */
const PRODUCTS = 8;

const RUNS = 5;

/** The fastest float32 product on a device with the settings that training has, in operations per second. */
export async function matmulFlops(device: Device): Promise<number> {
  const builder = new GraphBuilder();
  const factor = builder.input('factor', 'float32', [SIZE, SIZE]);
  let x: Value = builder.input('x', 'float32', [SIZE, SIZE]);
  for (let i = 0; i < PRODUCTS; i++) x = builder.gemm(x, factor);
  const session = await Session.create(builder.finish({ x }), { device });
  const [left, right, result] = [0, 1, 2].map(() => newStateTensor(device, [SIZE, SIZE]));
  // Values stay as they are from product to product.
  right!.write(new Float32Array(SIZE * SIZE).fill(1 / SIZE));
  let fastest = Infinity;
  for (let run = 0; run <= RUNS; run++) {
    const began = performance.now();
    await session.run({ x: left!, factor: right! }, { x: result! });
    if (run > 0) fastest = Math.min(fastest, performance.now() - began);
  }
  await session.release();
  for (const tensor of [left, right, result]) tensor!.release();
  return (2 * PRODUCTS * SIZE ** 3) / (fastest / 1000);
}
