import { numElements, sizeOf } from '../graph/dim.ts';
import { DTYPE_BYTES } from '../graph/dtype.ts';
import type { Graph } from '../graph/graph.ts';
import type { OpName } from '../graph/op.ts';
import { isOp, type Value } from '../graph/value.ts';
import type { DeviceSpeed } from '../runtime/device-facts.ts';

/** Ops that nothing is done for. */
const FREE: ReadonlySet<OpName> = new Set(['input', 'weight', 'constant', 'reshape']);

/**
 * How many times as many operations of bfloat16 numbers tensor cores do, at most, of all GPUs that there are (NVIDIA's data
 * sheets: 2 to 16 times up to Hopper, 28 of a B200).
 */
const MOST_OF_TENSOR_CORES = 32;

/**
 * Seconds that a graph takes on a device that is always busy: each op as long as its arithmetic or its memory
 * traffic takes at the device's peak, whichever is longer. It is less than any real run takes.
 *
 * @param hasTf32 whether products of float32 numbers may be computed by tensor cores, too
 */
export function leastSeconds(
  graph: Graph,
  { flops, bytesPerSecond }: DeviceSpeed,
  hasTf32 = false,
): number {
  return graph.values.reduce((seconds, value) => {
    if (FREE.has(value.op)) return seconds;
    return (
      seconds +
      Math.max(operations(value) / flopsOf(value, flops, hasTf32), traffic(value) / bytesPerSecond)
    );
  }, 0);
}

/** Bytes that a graph reads and writes where each op goes through memory for itself. */
export function trafficBytes(graph: Graph): number {
  return graph.values.reduce((bytes, value) => bytes + traffic(value), 0);
}

function traffic(value: Value): number {
  if (FREE.has(value.op)) return 0;
  // Of a table only the rows that are wanted are read.
  const read = isOp(value, 'gather') ? [value, value.inputs[1]!] : value.inputs;
  return [value, ...read].reduce((sum, each) => sum + bytesOf(each), 0);
}

/** @param float32 operations per second of float32 numbers outside of tensor cores */
function flopsOf(value: Value, float32: number, hasTf32: boolean): number {
  return hasTf32 || value.dtype === 'bfloat16' ? MOST_OF_TENSOR_CORES * float32 : float32;
}

/** Floating-point operations of a product; those of other ops take less time than their bytes. */
function operations(value: Value): number {
  const results = elements(value);
  if (isOp(value, 'matmulBnb4')) return 2 * results * value.attributes.inFeatures;
  if (isOp(value, 'gemm') || isOp(value, 'transposedMatmul') || isOp(value, 'addMatmul')) {
    return 2 * results * summedOver(value.inputs[0]!, value.attributes.transA);
  }
  return isOp(value, 'matmul') ? 2 * results * summedOver(value.inputs[0]!, false) : 0;
}

function summedOver({ shape }: Value, isTransposed: boolean): number {
  return Number(shape.at(isTransposed ? -2 : -1));
}

function bytesOf(value: Value): number {
  return elements(value) * DTYPE_BYTES[value.dtype];
}

/** Sizes that only a run tells (rows of an expert) count as none: all experts together are in what they are parts of. */
function elements({ shape }: Value): number {
  return sizeOf(numElements(shape), new Map()) ?? 0;
}
