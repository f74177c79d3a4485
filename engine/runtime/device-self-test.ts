import { GraphBuilder } from '../graph/builder.ts';
import { type Device, formatDevice } from './device.ts';
import { testOps } from './ops-self-test.ts';
import { Session } from './session.ts';

const SIZE = 64;
const TOLERANCE = 1e-3;

/**
 * Computes `softmax(x · xᵀ)` on the device and compares it with JavaScript: a device that answers
 * but computes wrongly is as useless as one that is missing. With WebGPU, whose kernels are young and whose drivers
 * are many, each op of a step is compared as well.
 *
 * @throws LorafaError `device.failed`, or an Error that says how far off the device was
 */
export async function selfTest(device: Device): Promise<void> {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [SIZE, SIZE]);
  const y = builder.softmax(builder.gemm(x, x, { transB: true }));
  const session = await Session.create(builder.finish({ y }), { device, threads: 1 });
  const data = Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i));
  const result = await session.run({ x: data });
  await session.release();
  const error = largestError(data, result['y']!.data as Float32Array);
  if (!(error < TOLERANCE)) {
    throw new Error(`${formatDevice(device)} computes wrongly: a result was off by ${error}`);
  }
  if (device.kind === 'webgpu') await testOps(device);
}

function largestError(x: Float32Array, actual: Float32Array): number {
  let worst = 0;
  for (let i = 0; i < SIZE; i++) {
    const products = Array.from({ length: SIZE }, (_, j) => {
      let sum = 0;
      for (let k = 0; k < SIZE; k++) sum += x[i * SIZE + k]! * x[j * SIZE + k]!;
      return Math.exp(sum);
    });
    const total = products.reduce((a, b) => a + b);
    products.forEach((product, j) => {
      worst = Math.max(worst, Math.abs(product / total - actual[i * SIZE + j]!));
    });
  }
  return worst;
}
