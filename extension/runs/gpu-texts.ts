import * as vscode from 'vscode';
import type { NvidiaGpu } from '../../engine/runtime/nvidia-smi.ts';
import { formatBytes } from '../../server/format.ts';

/** The device that a run computes on, and what it is if that is known: `cuda:0 (NVIDIA GeForce RTX 4090)`. */
export function deviceLabel(device: string, gpus: readonly NvidiaGpu[]): string {
  const gpu = gpuOf(device, gpus);
  return gpu === undefined ? device : `${device} (${gpu.name})`;
}

/**
 * What the GPU of a device does now: `12.0 GiB of 24.0 GiB · 97 % · 63 °C · 312 W`; undefined for a device that is
 * none, or of which nothing is known.
 */
export function describeGpu(device: string, gpus: readonly NvidiaGpu[]): string | undefined {
  const gpu = gpuOf(device, gpus);
  if (gpu === undefined) return undefined;
  const { usedBytes, memoryBytes, utilization, temperature, power } = gpu;
  return [
    ...(usedBytes === null || memoryBytes === null
      ? []
      : [vscode.l10n.t('{0} of {1}', formatBytes(usedBytes), formatBytes(memoryBytes))]),
    ...(utilization === null ? [] : [`${Math.round(100 * utilization)} %`]),
    ...(temperature === null ? [] : [`${Math.round(temperature)} °C`]),
    ...(power === null ? [] : [`${Math.round(power)} W`]),
  ].join(' · ');
}

/** The number of a CUDA device, which its GPU has as well; undefined for others. */
export function gpuIndex(device: string): number | undefined {
  const index = /^cuda:(\d+)$/.exec(device)?.[1];
  return index === undefined ? undefined : Number(index);
}

function gpuOf(device: string, gpus: readonly NvidiaGpu[]): NvidiaGpu | undefined {
  const index = gpuIndex(device);
  return gpus.find((gpu) => gpu.index === index);
}
