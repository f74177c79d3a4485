import { LorafaError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { type Device, formatDevice } from './device.ts';

/**
 * Makes sure that WebGPU computes a graph, of which it does not compute mixtures of experts: its kernel of `Concat`
 * fails in the middle of a run where several experts that follow each other have no tokens.
 *
 * @throws LorafaError `device.unavailable`
 */
export function requireKernels({ values }: Graph, device: Device): void {
  if (device.kind !== 'webgpu' || !values.some(({ op }) => op === 'joinSegments')) return;
  throw new LorafaError(
    'device.unavailable',
    `Mixtures of experts are not computed on ${formatDevice(device)}, whose kernels fail where experts have no tokens; choose a model without experts, or set engine.device to "cpu" or "cuda".`,
  );
}
