import { nf4Blocks, nf4CodeBytes } from '../formats/nf4.ts';
import { DYNAMIC_MAP } from '../formats/nf4-double.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import type { OpName } from '../graph/op.ts';
import { withWebgpuOps } from '../graph/passes/webgpu-ops.ts';
import type { Value } from '../graph/value.ts';
import { CPU, type Device, formatDevice } from './device.ts';
import type { Feeds } from './feeds.ts';
import { Session } from './session.ts';

/** Rows and columns of the operands: kernels take numbers by fours where they can, and one by one elsewhere. */
const SIZES = [
  [32, 64],
  [7, 35],
] as const;

/** Relative to the largest number of a result. WGSL allows `tanh` and others to be off by 1e-5. */
const TOLERANCE = 1e-4;

/** About the largest angle, in radians: that of a position. */
const LARGEST_ANGLE = 100_000;

/** Products of such integers, as dropout makes them, need 64 bits. */
const LARGE = 2 ** 30;

/**
 * Computes every op that a step is made of on a device and on the CPU.
 *
 * @throws LorafaError `device.failed`, or an Error that names the op whose result is another one
 */
export async function testOps(device: Device): Promise<void> {
  for (const [rows, columns] of SIZES) {
    const graph = opsGraph(rows, columns);
    const feeds = operands(rows, columns);
    const [expected, actual] = [await run(graph, feeds, CPU), await run(graph, feeds, device)];
    for (const [op, { data }] of Object.entries(expected)) {
      const error = relativeError(actual[op]!.data as Float32Array, data as Float32Array);
      if (error <= TOLERANCE) continue;
      throw new Error(
        `${formatDevice(device)} computes wrongly: ${op} of [${rows}, ${columns}] was off by ${error}`,
      );
    }
  }
}

/** The ops that {@link testOps} has WebGPU compute, as its graphs are written there. */
export function testedOps(): ReadonlySet<OpName> {
  const graphs = SIZES.map(([rows, columns]) => withWebgpuOps(opsGraph(rows, columns)));
  return new Set(graphs.flatMap(({ values }) => values.map(({ op }) => op)));
}

async function run(graph: Graph, feeds: Feeds, device: Device) {
  const session = await Session.create(graph, { device, threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

function operands(rows: number, columns: number): Feeds {
  const numbers = (of: (i: number) => number) =>
    Float32Array.from({ length: rows * columns }, (_, i) => of(i));
  return {
    x: numbers((i) => 2 * Math.sin(i)),
    y: numbers((i) => Math.cos(3 * i)),
    positive: numbers((i) => 1.5 + Math.sin(7 * i)),
    // Some rows twice and some not at all.
    indices: BigInt64Array.from({ length: rows }, (_, i) => BigInt((i * i) % rows)),
    places: BigInt64Array.from({ length: rows }, (_, i) => BigInt(rows - 1 - i)),
    codes: Uint8Array.from({ length: nf4CodeBytes(rows * columns) }, (_, i) => 37 * i),
    magnitudes: Float32Array.from({ length: nf4Blocks(rows * columns) }, (_, i) => 1 + 0.1 * i),
  };
}

/** A result for each op, under its name. */
function opsGraph(rows: number, columns: number): Graph {
  const b = new GraphBuilder();
  const [x, y, positive] = ['x', 'y', 'positive'].map((name) =>
    b.input(name, 'float32', [rows, columns]),
  ) as [Value, Value, Value];
  const [indices, places] = ['indices', 'places'].map((name) => b.input(name, 'int64', [rows])) as [
    Value,
    Value,
  ];
  const nf4 = [
    b.input('codes', 'uint8', [nf4CodeBytes(rows * columns)]),
    b.input('magnitudes', 'float32', [nf4Blocks(rows * columns)]),
  ] as const;
  const sizes = { inFeatures: columns, outFeatures: rows };
  const angles = b.mul(positive, b.scalar(LARGEST_ANGLE / 2));
  const heads = b.reshape(x, [1, 1, rows, columns]);
  const others = b.reshape(y, [1, 1, rows, columns]);
  const both = b.concat([heads, others], 1);
  const weight = b.reshape(b.slice(positive, 0, 0, 1), [columns]);
  const isLess = b.less(x, y);
  const large = b.mul(
    b.add(indices, b.scalar(LARGE, 'int64')),
    b.add(places, b.scalar(LARGE, 'int64')),
  );
  const turned = b.slice(x, 1, 0, 32);
  const turns = b.slice(y, 1, 0, 16);
  const results: Record<string, Value> = {
    ...{ add: b.add(x, weight), sub: b.sub(x, y), mul: b.mul(x, y), div: b.div(x, positive) },
    ...{ neg: b.neg(x), exp: b.exp(x), log: b.log(positive), sqrt: b.sqrt(positive) },
    ...{ reciprocal: b.reciprocal(positive), sigmoid: b.sigmoid(x), silu: b.silu(x) },
    ...{ sin: b.sin(angles), cos: b.cos(angles), tanh: b.tanh(x), erf: b.erf(x) },
    ...{ gelu: b.gelu(x, 'none'), 'gelu with tanh': b.gelu(x, 'tanh') },
    ...{ softmax: b.softmax(x), logSumExp: b.logSumExp(x), cast: b.cast(indices, 'float32') },
    ...{ less: b.where(isLess, x, y), and: b.where(b.and(isLess, b.lessOrEqual(x, y)), y, x) },
    ...{ reduceSum: b.reduceSum(x, [0]), 'reduceSum of rows': b.reduceSum(x, [1]) },
    ...{ reduceMean: b.reduceMean(x, [1]), reduceMax: b.reduceMax(x, [1]) },
    rmsNorm: b.rmsNorm(x, weight, 1e-5),
    rotary: b.rotary(b.reshape(turned, [rows, 1, 32]), turns, turns),
    gemm: b.gemm(x, y, { transB: true, alpha: 0.5, c: b.reduceSum(x, [1]) }),
    'gemm of a transposed matrix': b.gemm(x, y, { transA: true }),
    matmul: b.matmul(both, b.matrixTranspose(heads)),
    transposedMatmul: b.apply('transposedMatmul', [both, others], { transA: true, transB: false }),
    ...{ transpose: b.transpose(both, [0, 2, 1, 3]), concat: b.concat([x, y], 1) },
    ...{ expand: b.expand(weight, [rows, columns]), slice: b.slice(x, 1, 3, 9) },
    ...{ pad: b.pad(x, 1, 2, 3), gather: b.gather(x, indices) },
    mod: b.cast(b.mod(large, b.scalar(LARGE - 1, 'int64')), 'float32'),
    scatterAdd: b.scatterAdd(indices, x, rows),
    setRows: b.setRows(x, places, y),
    ...{ matmulBnb4: b.matmulBnb4(x, ...nf4, sizes), nf4: b.dequantizeNf4(...nf4, sizes) },
    'gather by bytes': b.gather(b.constant([...DYNAMIC_MAP], [256]), b.cast(nf4[0], 'int32')),
  };
  return b.finish(results);
}

function relativeError(actual: Float32Array, expected: Float32Array): number {
  let [difference, largest] = [0, Number.MIN_VALUE];
  expected.forEach((number, i) => {
    const error = Math.abs(number - actual[i]!);
    // What is no number is never near enough.
    difference = error <= difference ? difference : error;
    largest = Math.max(largest, Math.abs(number));
  });
  return difference / largest;
}
