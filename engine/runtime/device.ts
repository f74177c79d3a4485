import { LorafaError } from '../errors.ts';

/** Where a session computes. */
export interface Device {
  readonly kind: 'cpu' | 'cuda' | 'webgpu';
  /** Which CUDA device; 0 elsewhere. */
  readonly index: number;
}

export const CPU: Device = { kind: 'cpu', index: 0 };

/** Whether what stays from run to run (weights, state, keys and values) lies in memory of the device's own. */
export function hasOwnMemory({ kind }: Device): boolean {
  return kind !== 'cpu';
}

/** `cpu`, `cuda:1`, `webgpu` */
export function formatDevice({ kind, index }: Device): string {
  return kind === 'cuda' ? `cuda:${index}` : kind;
}

/** Reads `cpu`, `cuda`, `cuda:N` or `webgpu`. Throws `device.unavailable` for anything else. */
export function parseDevice(text: string): Device {
  if (text === 'cpu') return CPU;
  if (text === 'webgpu') return { kind: 'webgpu', index: 0 };
  const cuda = /^cuda(?::(\d+))?$/.exec(text);
  if (cuda !== null) return { kind: 'cuda', index: Number(cuda[1] ?? 0) };
  throw new LorafaError(
    'device.unavailable',
    `The device "${text}" is not known: write auto, cpu, cuda, cuda:N or webgpu.`,
  );
}
