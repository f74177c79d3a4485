import { GraphBuilder } from '../../engine/graph/builder.ts';
import type { Value } from '../../engine/graph/value.ts';
import { Session } from '../../engine/runtime/session.ts';

/** Rows of the left matrix, its columns, and columns of the right one. */
type Sizes = readonly [m: number, k: number, n: number];

/** Products of the sizes that training has, and a square one. */
const SIZES: readonly Sizes[] = [
  [512, 1024, 4096],
  [512, 576, 1536],
  [512, 2048, 5632],
  [1024, 1024, 1024],
];

/** Products in one run, there and back, so that what a run costs besides does not count. */
const PAIRS = 2;

/** Milliseconds of runs per size; the fastest run counts. */
const DURATION = 500;

const LEAST_RUNS = 2;

/** What `measureSgemm` found. */
export interface SgemmMeasurement {
  /** The fastest float32 product of matrices, in floating-point operations per second. */
  readonly flops: number;
  readonly bySize: readonly { readonly size: Sizes; readonly flops: number }[];
}

/**
 * Measures how fast ONNX Runtime multiplies float32 matrices in this process, with the settings that
 * training has. Nothing else of ONNX Runtime may live in the process: threads of another session
 * spin on the same cores.
 */
export async function measureSgemm(): Promise<SgemmMeasurement> {
  const bySize: { size: Sizes; flops: number }[] = [];
  for (const size of SIZES) bySize.push({ size, flops: await flopsOf(size) });
  return { flops: Math.max(...bySize.map(({ flops }) => flops)), bySize };
}

async function flopsOf([m, k, n]: Sizes): Promise<number> {
  const builder = new GraphBuilder();
  const there = builder.input('there', 'float32', [k, n]);
  const back = builder.input('back', 'float32', [n, k]);
  let x: Value = builder.input('x', 'float32', [m, k]);
  for (let pair = 0; pair < PAIRS; pair++) x = builder.gemm(builder.gemm(x, there), back);
  const session = await Session.create(builder.finish({ result: x }));
  const feeds = {
    x: new Float32Array(m * k).fill(1),
    // Values stay as they are from product to product.
    there: new Float32Array(k * n).fill(1 / k),
    back: new Float32Array(n * k).fill(1 / n),
  };
  let fastest = Infinity;
  const end = performance.now() + DURATION;
  for (let run = 0; run < LEAST_RUNS || performance.now() < end; run++) {
    const began = performance.now();
    await session.run(feeds);
    fastest = Math.min(fastest, performance.now() - began);
  }
  await session.release();
  return (2 * PAIRS * 2 * m * k * n) / (fastest / 1000);
}
