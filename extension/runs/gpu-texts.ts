import * as vscode from 'vscode';
import type { NvidiaGpu } from '../../engine/runtime/nvidia-smi.ts';
import { formatBytes } from '../../server/format.ts';
import { gpuIndex } from '../../server/gpu-index.ts';

/** What is known of NVIDIA's GPUs while runs compute on them. */
export interface GpuNews {
  /** As they were last told of. */
  readonly gpus: readonly NvidiaGpu[];
  /** Whether nobody tells of them just now. */
  readonly isSilent: boolean;
}

/** The device that a run computes on, and what it is if that is known: `cuda:0 (NVIDIA GeForce RTX 4090)`. */
export function deviceLabel(device: string, { gpus }: GpuNews): string {
  const gpu = gpuOf(device, gpus);
  return gpu === undefined ? device : `${device} (${gpu.name})`;
}

/**
 * What the GPU of a device does now: `12.0 GiB of 24.0 GiB · 97 % · 63 °C · 312 W`, or that nobody tells; undefined
 * for a device that is none, and before the GPUs were looked at.
 */
export function describeGpu(device: string, { gpus, isSilent }: GpuNews): string | undefined {
  if (gpuIndex(device) === undefined) return undefined;
  const gpu = gpuOf(device, gpus);
  const isLost = gpu === undefined && gpus.length > 0;
  if (isSilent || isLost) return vscode.l10n.t('no answer from nvidia-smi');
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

function gpuOf(device: string, gpus: readonly NvidiaGpu[]): NvidiaGpu | undefined {
  const index = gpuIndex(device);
  return gpus.find((gpu) => gpu.index === index);
}
