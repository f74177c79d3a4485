import { bfloat16ToFloat32, float32ToBfloat16 } from '../formats/float16.ts';
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

/** Half a unit of bfloat16 at the largest sums of 64 products, which lie between 32 and 64, and what adding up may move them by. */
const BFLOAT16_TOLERANCE = 0.126;

/**
 * The same for a product of bfloat16 numbers, `x · xᵀ` (`ONNX_ARITHMETIC`), which GPUs before Ampere may not have.
 *
 * @throws LorafaError `device.failed`, or an Error that says how far off the device was
 */
export async function selfTestBfloat16(device: Device): Promise<void> {
  const builder = new GraphBuilder();
  const x = builder.cast(builder.input('x', 'float32', [SIZE, SIZE]), 'bfloat16');
  const y = builder.cast(builder.gemm(x, x, { transB: true }), 'float32');
  const session = await Session.create(builder.finish({ y }), { device, threads: 1 });
  const data = Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i));
  const result = await session.run({ x: data });
  await session.release();
  requireProduct(data, result['y']!.data as Float32Array, device);
}

/**
 * Makes sure that a device's product is `x · xᵀ`, of factors that are rounded to bfloat16 and with sums that are.
 *
 * @throws Error that says how far off it is
 */
export function requireProduct(x: Float32Array, actual: Float32Array, device: Device): void {
  const rounded = bfloat16ToFloat32(float32ToBfloat16(x));
  const error = Math.max(...actual.map((each, at) => Math.abs(each - product(rounded, at))));
  if (error < BFLOAT16_TOLERANCE) return;
  throw new Error(`${formatDevice(device)} multiplies wrongly: a result was off by ${error}`);
}

/** An element of `x · xᵀ`. */
function product(x: Float32Array, at: number): number {
  const [row, column] = [Math.floor(at / SIZE) * SIZE, (at % SIZE) * SIZE];
  let sum = 0;
  for (let k = 0; k < SIZE; k++) sum += x[row + k]! * x[column + k]!;
  return sum;
}

function largestError(x: Float32Array, actual: Float32Array): number {
  let worst = 0;
  for (let i = 0; i < SIZE; i++) {
    const products = Array.from({ length: SIZE }, (_, j) => Math.exp(product(x, i * SIZE + j)));
    const total = products.reduce((a, b) => a + b);
    products.forEach((product, j) => {
      worst = Math.max(worst, Math.abs(product / total - actual[i * SIZE + j]!));
    });
  }
  return worst;
}
