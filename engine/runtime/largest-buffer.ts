import { LorafaError } from '../errors.ts';
import { formatBytes } from '../format-bytes.ts';
import { formatShape, staticSize } from '../graph/dim.ts';
import { DTYPE_BYTES } from '../graph/dtype.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { type Device, formatDevice } from './device.ts';

/** What Dawn says of a buffer that is larger than the device has (`maxBufferSize` of WebGPU's limits). */
const TOO_LARGE = /Buffer size \(\d+\) exceeds the max buffer size limit \((\d+)\)/;

/** Bytes of the largest buffer, as `provoke-buffer-limit.ts` had them written; undefined where they are not there. */
export function bufferLimitIn(stderr: string): number | undefined {
  const found = TOO_LARGE.exec(stderr);
  return found === null ? undefined : Number(found[1]);
}

/**
 * Makes sure that a device has buffers for all values of a graph whose sizes are known.
 *
 * @param graph in the ops of the device
 * @throws LorafaError `device.unavailable` that names a tensor
 */
export function requireBuffers(graph: Graph, device: Device): void {
  const { largestBuffer } = device;
  if (largestBuffer === undefined) return;
  const tooLarge = graph.values.filter((value) => bytesOf(value) > largestBuffer);
  // Smaller batches are of no help where a weight is too large.
  const refused = tooLarge.find(({ op }) => op === 'weight') ?? largestOf(tooLarge);
  if (refused === undefined) return;
  const { name, shape, op } = refused;
  const wayOut = op === 'weight' ? 'choose another model' : 'try smaller batches or shorter rows';
  throw new LorafaError(
    'device.unavailable',
    `The tensor ${name} of the shape ${formatShape(shape)} takes ${formatBytes(bytesOf(refused))}, and ${formatDevice(device)} has no buffer of more than ${formatBytes(largestBuffer)}; ${wayOut}, or another engine.device.`,
  );
}

function largestOf(values: readonly Value[]): Value | undefined {
  return [...values].sort((a, b) => bytesOf(b) - bytesOf(a))[0];
}

function bytesOf({ dtype, shape }: Value): number {
  return DTYPE_BYTES[dtype] * (staticSize(shape) ?? 0);
}
