import { numElements, sizeOf } from '../graph/dim.ts';
import { DTYPE_BYTES } from '../graph/dtype.ts';
import type { Graph } from '../graph/graph.ts';
import type { OpName } from '../graph/op.ts';
import { isOp, type Value } from '../graph/value.ts';
import type { DeviceSpeed } from '../runtime/device-facts.ts';

/** Ops that nothing is done for. */
const FREE: ReadonlySet<OpName> = new Set(['input', 'weight', 'constant', 'reshape']);

/**
 * Seconds that a graph takes on a device that is always busy: each op as long as its arithmetic or its memory
 * traffic takes at the device's peak, whichever is longer. It is less than any real run takes.
 */
export function leastSeconds(graph: Graph, { flops, bytesPerSecond }: DeviceSpeed): number {
  return graph.values.reduce((seconds, value) => {
    if (FREE.has(value.op)) return seconds;
    const bytes = [value, ...value.inputs].reduce((sum, each) => sum + bytesOf(each), 0);
    return seconds + Math.max(operations(value) / flops, bytes / bytesPerSecond);
  }, 0);
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
